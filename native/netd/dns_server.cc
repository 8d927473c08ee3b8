#include "dns_server.h"

#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <utility>

namespace caisson {
namespace {

// Long enough for a proxy's own cache to take the edge off a burst, short enough that a replaced replica is forgotten before
// a health check would notice. (Docker: 600, which clients that honour it have cursed.)
constexpr uint32_t TTL_SECONDS = 2;

bool wants(DnsType asked, DnsType kind) { return asked == kind || asked == DnsType::any; }

DnsCode code_of(DnsVerdict verdict) {
  switch (verdict) {
    case DnsVerdict::query:
    case DnsVerdict::drop:
      return DnsCode::success;
    case DnsVerdict::format:
      return DnsCode::format;
    case DnsVerdict::not_implemented:
      return DnsCode::not_implemented;
    case DnsVerdict::bad_version:
      return DnsCode::bad_version;
  }
  return DnsCode::failure;
}

size_t limit_of(const Asker& asker, const DnsQuery& query) {
  return asker.connection != 0 ? DNS_TCP_BYTES : std::min<size_t>(query.udp_bytes, DNS_UDP_BYTES);
}

}  // namespace

DnsServer::DnsServer(Loop& loop, BrokerClient& broker, const Names& names, const DnsSettings& settings)
    : loop_(loop),
      names_(names),
      settings_(settings),
      forwarder_(loop, broker, settings.upstreams, *this),
      streams_(loop, settings.tcp, *this) {
  if (::getrandom(&random_, sizeof random_, 0) != sizeof random_ || random_ == 0) random_ = 1;
}

bool DnsServer::start() {
  return loop_.add(settings_.udp, EPOLLIN, this) && loop_.add(settings_.tcp, EPOLLIN, &streams_);
}

void DnsServer::expire(uint64_t now_ms) {
  forwarder_.expire(now_ms);
  streams_.expire(now_ms);
}

void DnsServer::ready(uint32_t) {
  Asker asker = {.address = {}};
  socklen_t size = sizeof asker.address;
  auto* address = reinterpret_cast<sockaddr*>(&asker.address);
  ssize_t bytes = ::recvfrom(settings_.udp, incoming_, sizeof incoming_, MSG_DONTWAIT, address, &size);
  if (bytes <= 0 || bytes > static_cast<ssize_t>(DNS_QUERY_BYTES)) return;
  (void)handle(std::span(incoming_).first(bytes), asker);
}

bool DnsServer::handle(std::span<const uint8_t> message, const Asker& asker) {
  DnsQuery query;
  DnsVerdict verdict = read_query(message, query);
  if (verdict == DnsVerdict::drop) return false;
  DnsReply reply(message, query, outgoing_, limit_of(asker, query));
  std::optional<DnsCode> code = verdict == DnsVerdict::query ? resolve(query, reply) : code_of(verdict);
  if (!code && settings_.forward) {
    if (forwarder_.forward(message, query, asker)) return true;
    code = DnsCode::refused;
  }
  send(asker, reply.finish(code.value_or(DnsCode::no_name)));
  return true;
}

// No code: none of our names.
std::optional<DnsCode> DnsServer::resolve(const DnsQuery& query, DnsReply& reply) {
  if (query.klass != DnsClass::internet && query.klass != DnsClass::any) return DnsCode::refused;
  if (!query.textual) return {};
  addresses_.clear();
  if (names_.find(query.name(), addresses_)) {
    // A service without a running replica: not upstream's business.
    if (addresses_.empty()) return DnsCode::no_name;
    // Known, but IPv4 only: an empty answer. NXDOMAIN for AAAA would make a resolver give up the name altogether.
    if (!wants(query.type, DnsType::a)) return DnsCode::success;
    shuffle(addresses_);
    for (uint32_t address : addresses_) reply.add_address(address, TTL_SECONDS);
    return DnsCode::success;
  }
  uint32_t address;
  if (!wants(query.type, DnsType::ptr) || !read_reverse_name(query.name(), address)) return {};
  std::vector<std::string> names = names_.find_names(address);
  if (names.empty()) return {};
  for (const std::string& name : names) reply.add_pointer(name, TTL_SECONDS);
  return DnsCode::success;
}

// Round robin without a state that would have to be kept for each name (Fisher and Yates).
void DnsServer::shuffle(std::vector<uint32_t>& addresses) {
  for (size_t left = addresses.size(); left > 1; --left) {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    std::swap(addresses[left - 1], addresses[random_ % left]);
  }
}

void DnsServer::answer(const Asker& asker, const DnsQuery& query, std::span<uint8_t> message) {
  send(asker, message.first(fit_answer(message, query, limit_of(asker, query))));
}

// sendmsg(2) and not sendto(2): netd's filter allows an address with this one descriptor only.
void DnsServer::send(const Asker& asker, std::span<const uint8_t> message) {
  if (asker.connection != 0) return streams_.send(asker.connection, message);
  sockaddr_in address = asker.address;
  iovec part = {.iov_base = const_cast<uint8_t*>(message.data()), .iov_len = message.size()};
  msghdr header = {};
  header.msg_name = &address;
  header.msg_namelen = sizeof address;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  // A full queue of the asker loses the answer, as UDP may.
  ::sendmsg(settings_.udp, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace caisson
