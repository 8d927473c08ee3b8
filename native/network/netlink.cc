#include "netlink.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <algorithm>


#include "../core/sys.h"
#include "namespace_visit.h"

namespace caisson {
namespace {

// Replies to a batch of some thousand elements, all acknowledged, fit; more than the default of 208 KB.
constexpr int RECEIVE_BUFFER_BYTES = 4 << 20;
// Largest part of a dump that the kernel makes (NLMSG_GOODSIZE is below that).
constexpr size_t REPLY_BYTES = 32 << 10;
// A dump of a million routes ends here: a bound, not an expectation.
constexpr size_t TALK_LIMIT_BYTES = 256 << 20;

struct Reply {
  const nlmsghdr* header;
  std::span<const uint8_t> body;  // behind the nlmsghdr
};

// What the kernel says about a refused request, with NETLINK_EXT_ACK.
std::string words_of(const Reply& reply) {
  size_t skip = sizeof(nlmsgerr);
  if (!(reply.header->nlmsg_flags & NLM_F_ACK_TLVS) || reply.body.size() <= skip) return {};
  auto* error = reinterpret_cast<const nlmsgerr*>(reply.body.data());
  // Without NLM_F_CAPPED the whole request comes back first.
  if (!(reply.header->nlmsg_flags & NLM_F_CAPPED)) skip += NLMSG_ALIGN(error->msg.nlmsg_len) - sizeof(nlmsghdr);
  std::string words;
  if (reply.body.size() <= skip) return {};
  for_each_attribute(reply.body.subspan(skip), [&](uint16_t type, std::span<const uint8_t> content) {
    auto* text = reinterpret_cast<const char*>(content.data());
    if (type == NLMSGERR_ATTR_MSG) words.assign(text, strnlen(text, content.size()));
  });
  return words;
}

Failure failure_of(int error, std::string_view subject = {}) {
  return Failure{.syscall = "recvmsg", .error = error, .path = std::string(subject)};
}

Failure refusal(const Reply& reply, int error, std::string_view subject) {
  std::string path(subject);
  if (std::string words = words_of(reply); !words.empty()) path += (path.empty() ? "" : ": ") + words;
  return Failure{.syscall = "sendmsg", .error = error, .path = path};
}

// Result<bool>: false when nothing (more) is queued.
Result<bool> receive(int fd, std::vector<uint8_t>& buffer) {
  buffer.resize(REPLY_BYTES);
  for (;;) {
    ssize_t size = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return false;
    if (size < 0) return sys::last_failure("recvmsg");  // ENOBUFS: replies were lost, the caller cannot know which
    if (static_cast<size_t>(size) > buffer.size()) return failure_of(EMSGSIZE);
    buffer.resize(size);
    return true;
  }
}

// Calls `visit(Reply)` for each message in `buffer`.
template <class Visit>
void for_each_message(std::span<const uint8_t> buffer, Visit visit) {
  while (buffer.size() >= sizeof(nlmsghdr)) {
    auto* header = reinterpret_cast<const nlmsghdr*>(buffer.data());
    size_t size = header->nlmsg_len;
    if (size < sizeof(nlmsghdr) || size > buffer.size()) return;
    visit(Reply{header, buffer.subspan(sizeof(nlmsghdr), size - sizeof(nlmsghdr))});
    buffer = buffer.subspan(std::min<size_t>(NLMSG_ALIGN(size), buffer.size()));
  }
}

// 0 for an acknowledgement, the errno of a refusal, -1 for anything else.
int error_of(const Reply& reply) {
  if (reply.header->nlmsg_type != NLMSG_ERROR || reply.body.size() < sizeof(nlmsgerr)) return -1;
  return -reinterpret_cast<const nlmsgerr*>(reply.body.data())->error;
}

// Left over from an exchange that failed half-way.
void drop_queued(int fd) {
  std::vector<uint8_t> buffer;
  for (int i = 0; i < 1024; ++i) {
    Result<bool> more = receive(fd, buffer);
    if (more && !more.value()) return;
  }
}

Result<void> transmit(int fd, std::span<const uint8_t> bytes) {
  drop_queued(fd);
  sockaddr_nl kernel = {.nl_family = AF_NETLINK, .nl_pad = 0, .nl_pid = 0, .nl_groups = 0};
  auto* address = reinterpret_cast<sockaddr*>(&kernel);
  for (;;) {
    ssize_t sent = ::sendto(fd, bytes.data(), bytes.size(), 0, address, sizeof kernel);
    if (sent >= 0) return {};
    if (errno != EINTR) return sys::last_failure("sendmsg");
  }
}

bool is_delete(uint16_t type) {
  if (NFNL_SUBSYS_ID(type) != NFNL_SUBSYS_NFTABLES) return false;
  switch (NFNL_MSG_TYPE(type)) {
    case NFT_MSG_DELTABLE:
    case NFT_MSG_DELCHAIN:
    case NFT_MSG_DELRULE:
    case NFT_MSG_DELSET:
    case NFT_MSG_DELSETELEM:
      return true;
    default:
      return false;
  }
}

}  // namespace

void NetlinkMessage::start(uint16_t type, uint16_t flags) {
  current_ = bytes_.size();
  ++count_;
  nlmsghdr header = {};
  header.nlmsg_type = type;
  header.nlmsg_flags = flags | NLM_F_REQUEST;
  header.nlmsg_seq = count_;
  append(&header, sizeof header);
}

void NetlinkMessage::append(const void* data, size_t size) {
  size_t at = bytes_.size();
  bytes_.resize(NLMSG_ALIGN(at + size));
  if (size > 0) memcpy(bytes_.data() + at, data, size);
  uint32_t length = bytes_.size() - current_;
  memcpy(bytes_.data() + current_, &length, sizeof length);  // nlmsg_len, first in nlmsghdr
}

void NetlinkMessage::attribute(uint16_t type, const void* data, size_t size) {
  nlattr header = {.nla_len = static_cast<uint16_t>(NLA_HDRLEN + size), .nla_type = type};
  append(&header, sizeof header);
  append(data, size);
}

void NetlinkMessage::text(uint16_t type, std::string_view value) {
  std::string terminated(value);
  attribute(type, terminated.c_str(), terminated.size() + 1);
}

size_t NetlinkMessage::nest(uint16_t type) {
  size_t at = bytes_.size();
  attribute(type | NLA_F_NESTED, nullptr, 0);
  return at;
}

void NetlinkMessage::end(size_t at) {
  uint16_t length = bytes_.size() - at;
  memcpy(bytes_.data() + at, &length, sizeof length);  // nla_len, first in nlattr
}

void for_each_attribute(std::span<const uint8_t> attributes,
                        const std::function<void(uint16_t, std::span<const uint8_t>)>& visit) {
  while (attributes.size() >= sizeof(nlattr)) {
    nlattr header;
    memcpy(&header, attributes.data(), sizeof header);
    if (header.nla_len < NLA_HDRLEN || header.nla_len > attributes.size()) return;
    visit(header.nla_type & NLA_TYPE_MASK, attributes.subspan(NLA_HDRLEN, header.nla_len - NLA_HDRLEN));
    attributes = attributes.subspan(std::min<size_t>(NLA_ALIGN(header.nla_len), attributes.size()));
  }
}

Result<Fd> open_netlink(int protocol) {
  Fd fd = TRY(sys::check_fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), "socket", "netlink"));
  int on = 1;
  // Refinements: an old kernel or a missing capability leaves the plain behaviour.
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &RECEIVE_BUFFER_BYTES, sizeof RECEIVE_BUFFER_BYTES);
  return fd;
}

Result<Fd> open_netlink_in(int network_namespace, int protocol) {
  NamespaceVisit visit = TRY(NamespaceVisit::enter(network_namespace));
  return open_netlink(protocol);
}

Result<void> netlink_request(int fd, const NetlinkMessage& message, std::string_view subject) {
  TRY(transmit(fd, message.bytes()));
  Result<void> result;
  std::vector<uint8_t> buffer;
  for (uint32_t ends = 0; ends < message.count();) {
    if (!TRY(receive(fd, buffer))) return failure_of(EPROTO, subject);
    for_each_message(buffer, [&](const Reply& reply) {
      int error = error_of(reply);
      if (error < 0) return;
      ++ends;
      if (error > 0 && result) result = refusal(reply, error, subject);
    });
  }
  return result;
}

Result<void> netlink_dump(int fd, const NetlinkMessage& message, std::string_view subject,
                          const std::function<void(uint16_t, std::span<const uint8_t>)>& visit) {
  TRY(transmit(fd, message.bytes()));
  Result<void> result;
  std::vector<uint8_t> buffer;
  for (bool done = false; !done;) {
    if (!TRY(receive(fd, buffer))) return failure_of(EPROTO, subject);
    for_each_message(buffer, [&](const Reply& reply) {
      int error = error_of(reply);
      if (error > 0) result = refusal(reply, error, subject);
      if (error >= 0 || reply.header->nlmsg_type == NLMSG_DONE) done = true;
      else if (reply.header->nlmsg_type >= NLMSG_MIN_TYPE) visit(reply.header->nlmsg_type, reply.body);
    });
  }
  return result;
}

Result<std::vector<uint8_t>> netlink_talk(int fd, std::span<const uint8_t> messages, uint32_t expected_ends) {
  TRY(transmit(fd, messages));
  std::vector<uint8_t> replies, buffer;
  for (uint32_t ends = 0; ends < expected_ends;) {
    if (!TRY(receive(fd, buffer))) break;
    for_each_message(buffer, [&](const Reply& reply) {
      if (reply.header->nlmsg_type == NLMSG_ERROR || reply.header->nlmsg_type == NLMSG_DONE) ++ends;
    });
    if (replies.size() + buffer.size() > TALK_LIMIT_BYTES) return failure_of(EMSGSIZE);
    replies.insert(replies.end(), buffer.begin(), buffer.end());
  }
  return replies;
}

Result<void> send_batch(int fd, std::span<const uint8_t> batch) {
  if (batch.empty()) return {};
  TRY(transmit(fd, batch));
  Result<void> result;
  std::vector<uint8_t> buffer;
  while (TRY(receive(fd, buffer))) {
    for_each_message(buffer, [&](const Reply& reply) {
      int error = error_of(reply);
      if (error <= 0 || !result) return;
      uint16_t type = reinterpret_cast<const nlmsgerr*>(reply.body.data())->msg.nlmsg_type;
      // One missing element rolls the whole batch back: whoever deletes sends one element a batch.
      if (error == ENOENT && is_delete(type)) return;
      result = refusal(reply, error, "nf_tables");
    });
  }
  return result;
}

}  // namespace caisson
