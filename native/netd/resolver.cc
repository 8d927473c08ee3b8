#include "resolver.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "../network/listen.h"
#include "../network/namespace_visit.h"
#include "../core/self.h"
#include "../network/socket_address.h"
#include "../core/sys.h"
#include "broker.h"

namespace caisson {
namespace {

constexpr std::array<uint8_t, 4> DNS_ADDRESS = {127, 0, 0, 11};
// A burst of 1,024 queries fits in either direction.
constexpr int BROKER_BUFFER_BYTES = 2 << 20;
// What one call of serve_broker does at most, and how many sockets a second netd gets in the long run.
constexpr int REQUESTS_A_TURN = 32;
constexpr double SOCKETS_A_SECOND = 4096;

void append_text(std::vector<uint8_t>& bytes, const std::string& text) {
  uint8_t length = std::min<size_t>(text.size(), 255);
  bytes.push_back(length);
  bytes.insert(bytes.end(), text.begin(), text.begin() + length);
}

std::vector<uint8_t> config_of(const Resolver& resolver, const Dns& dns) {
  NetdConfig config = {
      .parent = static_cast<uint32_t>(::getpid()),
      .dns = dns.port != 0 ? 1u : 0u,
      .forward = dns.forward ? 1u : 0u,
      .directories = static_cast<uint32_t>(dns.networks.size()),
      .aliases = static_cast<uint32_t>(dns.aliases.size()),
      .listeners = static_cast<uint32_t>(resolver.listeners.size()),
      .upstreams = static_cast<uint32_t>(resolver.upstreams.size()),
      .seccomp = static_cast<uint32_t>(dns.seccomp.size()),
  };
  std::vector<uint8_t> bytes(sizeof config);
  memcpy(bytes.data(), &config, sizeof config);
  for (const NameDirectory& network : dns.networks) append_text(bytes, network.name);
  for (const NameAlias& alias : dns.aliases) {
    append_text(bytes, alias.alias);
    append_text(bytes, alias.name);
  }
  bytes.insert(bytes.end(), dns.seccomp.begin(), dns.seccomp.end());
  return bytes;
}

// A detached mount of its own: `..` leads nowhere from its root, and nothing in it can be written.
Result<Fd> open_names(const std::string& path) {
  TRY(sys::make_directories(path, 0755));
  TRY(sys::check(::chmod(path.c_str(), 0755), "chmod", path));  // whatever umask it was made with: netd is nobody
  Fd tree = TRY(sys::open_tree(AT_FDCWD, path, OPEN_TREE_CLONE));
  constexpr uint64_t ATTRIBUTES = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  TRY(sys::mount_setattr(tree.get(), 0, ATTRIBUTES, 0, MS_PRIVATE, path));
  return tree;
}

Result<void> open_dns(Resolver& resolver, const Dns& dns) {
  resolver.udp = TRY(listen_on(Protocol::udp, DNS_ADDRESS, dns.port, 0)).fd;
  resolver.tcp = TRY(listen_on(Protocol::tcp, DNS_ADDRESS, dns.port, 0)).fd;
  bool many = dns.networks.size() > MAX_DIRECTORIES || dns.aliases.size() > MAX_ALIASES;
  if (many || dns.upstreams.size() > MAX_UPSTREAMS) {
    return Failure{.section = "resolver", .index = 0, .syscall = "netd", .error = E2BIG, .path = {}};
  }
  for (const NameDirectory& network : dns.networks) resolver.names.push_back(TRY(open_names(network.path)));
  if (dns.forward) resolver.upstreams = dns.upstreams;
  return {};
}

void take_listeners(Resolver& resolver, const Network& network, std::span<const int> listeners) {
  for (size_t i = 0; i < std::min(network.listeners.size(), listeners.size()); ++i) {
    const Listener& listener = network.listeners[i];
    if (!listener.splice || listener.protocol != Protocol::tcp || resolver.listeners.size() == MAX_LISTENERS) continue;
    // Accepted connections inherit both: no delay between small writes, and a peer that vanished is noticed.
    int on = 1;
    ::setsockopt(listeners[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(listeners[i], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::fcntl(listeners[i], F_SETFL, ::fcntl(listeners[i], F_GETFL) | O_NONBLOCK);
    resolver.listeners.push_back(listeners[i]);
    resolver.targets.push_back(listener);
  }
}

Result<Fd> memory_file(const std::vector<uint8_t>& content) {
  Fd file = TRY(sys::check_fd(::memfd_create("netd", MFD_CLOEXEC), "memfd_create"));
  TRY(sys::write_all(file.get(), content.data(), content.size()));
  TRY(sys::check(::lseek(file.get(), 0, SEEK_SET), "lseek"));
  return file;
}

Result<void> spawn(Resolver& resolver) {
  sys::Pair pair = TRY(sys::socketpair(SOCK_SEQPACKET));
  for (int fd : {pair.first.get(), pair.second.get()}) {
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &BROKER_BUFFER_BYTES, sizeof BROKER_BUFFER_BYTES);
  }
  Fd config = TRY(memory_file(resolver.config));
  Fd nothing = TRY(sys::open("/dev/null", O_RDWR));
  auto or_nothing = [&](const Fd& fd) { return fd ? fd.get() : nothing.get(); };
  std::vector<int> wanted = {0, 1, 2, or_nothing(resolver.udp), or_nothing(resolver.tcp), pair.second.get(), config.get()};
  for (const Fd& names : resolver.names) wanted.push_back(names.get());
  wanted.insert(wanted.end(), resolver.listeners.begin(), resolver.listeners.end());
  sys::Clone child = TRY(spawn_self(TRY(open_self_read_only()), {"caisson-netd", "netd"}, wanted));
  resolver.pid = child.pid;
  resolver.broker = std::move(pair.first);
  return {};
}

uint64_t clock_ms() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * 1000ull + now.tv_nsec / 1'000'000;
}

// Whether netd may have one more socket: SOCKETS_A_SECOND, saved up for one second at most.
bool allow(Resolver& resolver) {
  uint64_t now = clock_ms();
  double earned = (now - resolver.allowance_at_ms) * SOCKETS_A_SECOND / 1000;
  resolver.allowance = std::min(SOCKETS_A_SECOND, resolver.allowance + earned);
  resolver.allowance_at_ms = now;
  if (resolver.allowance < 1) return false;
  resolver.allowance -= 1;
  return true;
}

Result<Fd> connect_to(int type, std::span<const uint8_t> address, uint32_t port) {
  SocketAddress target(address, port);
  Fd fd = TRY(sys::check_fd(::socket(target.family(), type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  int on = 1;
  if (type == SOCK_STREAM) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd.get(), target.any(), target.size()) == 0 || errno == EINPROGRESS) return fd;
  return sys::last_failure("connect");
}

Failure refused() { return Failure{.section = "resolver", .index = 0, .syscall = "broker", .error = EINVAL, .path = {}}; }

Result<Fd> make_upstream(const Resolver& resolver, uint32_t index, int type) {
  if (index >= resolver.upstreams.size()) return refused();
  const Upstream& upstream = resolver.upstreams[index];
  // The host's resolver may listen on 127.0.0.53, which is only there.
  NamespaceVisit visit = TRY(NamespaceVisit::enter(resolver.root_namespace));
  return connect_to(type, upstream.address, upstream.port);
}

Result<Fd> make_socket(Resolver& resolver, const BrokerRequest& request) {
  if (!allow(resolver)) return Failure{.section = "resolver", .index = 0, .syscall = "broker", .error = EAGAIN, .path = {}};
  switch (request.kind) {
    case BrokerKind::upstream_udp:
      return make_upstream(resolver, request.index, SOCK_DGRAM);
    case BrokerKind::upstream_tcp:
      return make_upstream(resolver, request.index, SOCK_STREAM);
    case BrokerKind::splice:
      if (request.index >= resolver.targets.size()) return refused();
      const Listener& target = resolver.targets[request.index];
      return connect_to(SOCK_STREAM, target.container_address, target.container_port);
  }
  return refused();  // a number that is no kind
}

// Where netd does not read its answers, they are lost: it times out, the monitor goes on.
void reply(int broker, uint64_t tag, Result<Fd> made) {
  BrokerReply reply = {.tag = tag, .error = made ? 0u : static_cast<uint32_t>(made.failure().error), .zero = 0};
  iovec part = {.iov_base = &reply, .iov_len = sizeof reply};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (made) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    int fd = made.value().get();
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  ::sendmsg(broker, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

Result<Resolver> start_resolver(NetworkHandle& handle, const Network& network, std::span<const int> listeners) {
  Resolver resolver;
  resolver.root_namespace = handle.root_namespace.get();
  take_listeners(resolver, network, listeners);
  if (network.dns.port == 0 && resolver.listeners.empty()) return resolver;
  if (network.dns.port != 0) TRY(in_section("resolver", 0, open_dns(resolver, network.dns)));
  resolver.config = config_of(resolver, network.dns);
  TRY(in_section("resolver", 0, spawn(resolver)));
  return resolver;
}

int broker_fd(const Resolver& resolver) { return resolver.broker.get(); }

void serve_broker(Resolver& resolver) {
  for (int turn = 0; turn < REQUESTS_A_TURN; ++turn) {
    BrokerRequest request;
    ssize_t size = ::recv(resolver.broker.get(), &request, sizeof request, MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) return resolver.broker.reset();
    if (size == sizeof request) reply(resolver.broker.get(), request.tag, make_socket(resolver, request));
  }
}

Result<void> respawn_resolver(Resolver& resolver) {
  resolver.pid = 0;
  resolver.broker.reset();
  return in_section("resolver", 0, spawn(resolver));
}

}  // namespace caisson
