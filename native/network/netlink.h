// Netlink: messages, their exchange, and nf_tables batches that were made elsewhere. The kernel answers a request within
// sendmsg(2), and goes on with a dump within recvmsg(2): nothing here ever waits, an empty queue is the end.
#pragma once

#include <linux/netlink.h>

#include <cstring>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "../core/fd.h"
#include "../core/result.h"

namespace caisson {

// One or more requests that go out in one sendmsg(2).
class NetlinkMessage {
 public:
  // Starts a request; flags get NLM_F_REQUEST. `header` is the family's struct (ifinfomsg …).
  template <class Header>
  void begin(uint16_t type, uint16_t flags, const Header& header) {
    start(type, flags);
    append(&header, sizeof header);
  }
  void attribute(uint16_t type, const void* data, size_t size);
  void attribute(uint16_t type, std::span<const uint8_t> data) { attribute(type, data.data(), data.size()); }
  void text(uint16_t type, std::string_view value);  // with the NUL
  void u8(uint16_t type, uint8_t value) { attribute(type, &value, sizeof value); }
  void u16(uint16_t type, uint16_t value) { attribute(type, &value, sizeof value); }
  void u32(uint16_t type, uint32_t value) { attribute(type, &value, sizeof value); }
  // Nested attributes: `size_t at = nest(type); …; end(at);`
  size_t nest(uint16_t type);
  void end(size_t at);
  // A struct inside a nest, as VETH_INFO_PEER wants it.
  void append(const void* data, size_t size);
  std::span<const uint8_t> bytes() const { return bytes_; }
  uint32_t count() const { return count_; }

 private:
  void start(uint16_t type, uint16_t flags);
  std::vector<uint8_t> bytes_;
  size_t current_ = 0;  // where the last request starts
  uint32_t count_ = 0;
};

// Attributes of a reply: calls back with (type without flags, content).
void for_each_attribute(std::span<const uint8_t> attributes,
                        const std::function<void(uint16_t type, std::span<const uint8_t> content)>& visit);

// NETLINK_ROUTE or NETLINK_NETFILTER in the caller's namespace, with extended acks.
Result<Fd> open_netlink(int protocol);
// The same in another namespace: setns there and back on this thread. Not to come back would be fatal: then it aborts.
Result<Fd> open_netlink_in(int network_namespace, int protocol);
// Sends requests that have NLM_F_ACK; the first refusal is the failure. Its path is `subject`, with the kernel's words.
Result<void> netlink_request(int fd, const NetlinkMessage& message, std::string_view subject);
// Sends one request with NLM_F_DUMP, calls back with (nlmsg_type, what follows the nlmsghdr). EINTR of the dump (the table
// changed meanwhile) is passed over: callers want what was there, not a snapshot.
Result<void> netlink_dump(int fd, const NetlinkMessage& message, std::string_view subject,
                          const std::function<void(uint16_t type, std::span<const uint8_t> body)>& visit);
// All reply bytes to `messages`, as they are, until nothing more comes or `expected_ends` NLMSG_ERROR and NLMSG_DONE have.
Result<std::vector<uint8_t>> netlink_talk(int fd, std::span<const uint8_t> messages, uint32_t expected_ends);
// An nf_tables batch, opaque. Deleting what is not there counts as done.
Result<void> send_batch(int netlink_fd, std::span<const uint8_t> batch);

}  // namespace caisson
