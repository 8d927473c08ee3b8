#include "netd.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cctype>
#include <cstring>
#include <string>

#include "../core/sys.h"
#include "broker_client.h"
#include "confine.h"
#include "dns_server.h"
#include "splicer.h"

namespace caisson {
namespace {

// More than the limits of queries, clients and connections (with pipes) add up to.
constexpr rlim_t MAX_DESCRIPTORS = 8192;
constexpr size_t MAX_CONFIG_BYTES = 256 << 10;
// How late a time-out may be.
constexpr int TICK_MS = 250;

struct Start {
  NetdConfig config;
  std::vector<std::string> networks;  // name of each directory's network, lower case
  std::vector<std::string> aliases;   // alias, name, alias, name …, lower case
  std::vector<uint8_t> seccomp;
};

std::string lower(std::string text) {
  for (char& byte : text) byte = tolower(static_cast<unsigned char>(byte));
  return text;
}

Failure malformed() { return Failure{.section = "resolver", .index = 0, .syscall = "read", .error = EINVAL, .path = "config"}; }

Result<void> read_texts(std::span<const uint8_t>& rest, uint32_t count, std::vector<std::string>& texts) {
  for (uint32_t i = 0; i < count; ++i) {
    if (rest.empty() || rest.size() <= rest[0]) return malformed();
    texts.push_back(lower({reinterpret_cast<const char*>(rest.data()) + 1, rest[0]}));
    rest = rest.subspan(1 + rest[0]);
  }
  return {};
}

Result<Start> read_start() {
  Fd file(NETD_FD::config);
  std::vector<uint8_t> bytes = TRY(sys::read_all(file.get(), MAX_CONFIG_BYTES));
  std::span<const uint8_t> rest = bytes;
  Start start;
  if (rest.size() < sizeof start.config) return malformed();
  memcpy(&start.config, rest.data(), sizeof start.config);
  rest = rest.subspan(sizeof start.config);
  if (start.config.aliases > MAX_ALIASES) return malformed();
  TRY(read_texts(rest, start.config.directories, start.networks));
  TRY(read_texts(rest, start.config.aliases * 2, start.aliases));
  if (rest.size() != start.config.seccomp) return malformed();
  start.seccomp.assign(rest.begin(), rest.end());
  return start;
}

Result<void> limit(int resource, rlim_t value) {
  rlimit limits = {.rlim_cur = value, .rlim_max = value};
  TRY(sys::check(::setrlimit(resource, &limits), "setrlimit"));
  return {};
}

// Nothing of the file system is left but the names: our root is the first of their (detached, read-only) mounts, and no
// other directory leads out of its own.
Result<void> confine_files(const Start& start) {
  if (start.networks.empty()) return {};
  TRY(sys::check(::fchdir(NETD_FD::first_directory), "fchdir"));
  TRY(sys::check(::chroot("."), "chroot"));
  return {};
}

Result<void> confine(const Start& start) {
  TRY(limit(RLIMIT_NOFILE, MAX_DESCRIPTORS));
  TRY(limit(RLIMIT_CORE, 0));
  TRY(limit(RLIMIT_FSIZE, 0));
  TRY(confine_files(start));
  TRY(drop_privileges());
  TRY(die_with(start.config.parent));
  return filter_system_calls(start.seccomp);
}

Names names_of(const Start& start) {
  Names names;
  for (size_t i = 0; i < start.networks.size(); ++i) names.add_network(NETD_FD::first_directory + i, start.networks[i]);
  for (size_t i = 0; i + 1 < start.aliases.size(); i += 2) names.add_alias(start.aliases[i], start.aliases[i + 1]);
  return names;
}

std::vector<int> listeners_of(const Start& start) {
  std::vector<int> listeners;
  int first = NETD_FD::first_directory + start.networks.size();
  for (uint32_t i = 0; i < start.config.listeners; ++i) listeners.push_back(first + i);
  return listeners;
}

// Until the monitor has gone.
Result<void> serve(Loop& loop, const Start& start) {
  BrokerClient broker(NETD_FD::broker);
  Names names = names_of(start);
  DnsSettings settings = {
      .udp = NETD_FD::udp, .tcp = NETD_FD::tcp, .forward = start.config.forward != 0, .upstreams = start.config.upstreams};
  DnsServer dns(loop, broker, names, settings);
  Splicer splicer(loop, broker);
  bool watched = loop.add(NETD_FD::broker, EPOLLIN, &broker);
  if (start.config.dns != 0) watched = watched && dns.start();
  if (!watched || !splicer.start(listeners_of(start))) return sys::last_failure("epoll_ctl");
  for (uint64_t next_tick_ms = 0; !broker.gone();) {
    bool busy = dns.busy() || splicer.busy();
    loop.run_once(busy ? TICK_MS : -1);
    if (!busy || now_ms() < next_tick_ms) continue;
    dns.expire(now_ms());
    splicer.expire(now_ms());
    next_tick_ms = now_ms() + TICK_MS;
  }
  return {};
}

Result<void> run() {
  ::prctl(PR_SET_NAME, "caisson-netd", 0, 0, 0);
  ::signal(SIGPIPE, SIG_IGN);  // splice(2) has no MSG_NOSIGNAL
  Start start = TRY(read_start());
  Loop loop = TRY(Loop::create());
  TRY(confine(start));
  return serve(loop, start);
}

}  // namespace

int netd_main() { return run() ? 0 : 1; }

}  // namespace caisson
