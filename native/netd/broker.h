// Between netd and its monitor: what netd is started with, and how it asks for a socket. Both run the same binary, so
// structs travel as they are. Everything from netd is untrusted: one request of a fixed size, each field checked.
//
//   netd ── BrokerRequest ──►  monitor
//   netd ◄─ BrokerReply [+ one descriptor] ──
#pragma once

#include <cstddef>
#include <cstdint>

namespace caisson {

// Descriptors of netd. From first_directory on: one for each network, then the listeners. Absent ones are /dev/null.
struct NETD_FD {
  static constexpr int udp = 3, tcp = 4, broker = 5, config = 6, first_directory = 7;
};

// Start of the config; then `directories` × {u8 length, name}, `aliases` × {u8 length, alias, u8 length, name}, `seccomp` bytes of struct sock_filter.
struct NetdConfig {
  uint32_t parent;       // pid of the monitor, to notice that it died before PDEATHSIG was set
  uint32_t dns;          // 1: udp and tcp are there
  uint32_t forward;      // 1: unknown names go upstream
  uint32_t directories;  // networks of the container
  uint32_t aliases;
  uint32_t listeners;    // splices
  uint32_t upstreams;
  uint32_t seccomp;      // bytes
};

enum class BrokerKind : uint8_t { upstream_udp, upstream_tcp, splice };

struct BrokerRequest {
  BrokerKind kind;
  uint8_t zero[3];
  uint32_t index;  // of the upstream, or of the listener among the spliced ones
  uint64_t tag;    // comes back in the reply
};
static_assert(sizeof(BrokerRequest) == 16);

struct BrokerReply {
  uint64_t tag;
  uint32_t error;  // errno; 0: a connected (TCP: connecting) non-blocking socket comes along
  uint32_t zero;
};
static_assert(sizeof(BrokerReply) == 16);

constexpr size_t MAX_DIRECTORIES = 64, MAX_ALIASES = 256, MAX_LISTENERS = 512, MAX_UPSTREAMS = 8;

}  // namespace caisson
