#include "network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sched.h>

#include <array>

#include "../core/sys.h"
#include "conntrack.h"
#include "links.h"
#include "namespace_visit.h"
#include "netlink.h"

namespace caisson {
namespace {

// A replica that stops may remove the directory of a name between our mkdir and our open; more often than this, never.
constexpr int NAME_ATTEMPTS = 16;
// Requests of destroy_sockets in one message: 72 bytes each, well below the send buffer.
constexpr size_t DESTROY_CHUNK = 256;

// Settings of all interfaces (conf/default) have to stand before the links are made; those of a link (conf/eth0) can only
// be written afterwards. Returns what was not there yet.
Result<std::vector<Setting>> apply_settings(const std::vector<Setting>& settings) {
  std::vector<Setting> missing;
  for (const Setting& setting : settings) {
    Result<void> written = sys::write_file(AT_FDCWD, "/proc/sys/" + setting.path, setting.value);
    if (!written && written.failure().error == ENOENT) missing.push_back(setting);
    else if (!written) return std::move(written).failure();
  }
  return missing;
}

Result<void> apply_late_settings(const std::vector<Setting>& settings) {
  for (const Setting& setting : TRY(apply_settings(settings))) {
    // A kernel without IPv6 has nothing to switch off.
    if (setting.path.starts_with("net/ipv6/")) continue;
    return Failure{.syscall = "openat", .error = ENOENT, .path = "/proc/sys/" + setting.path};
  }
  return {};
}

Result<void> create_endpoints(NetworkHandle& handle, const Network& network) {
  if (network.endpoints.empty()) return {};
  Fd own = TRY(sys::open("/proc/thread-self/ns/net", O_RDONLY));
  for (size_t i = 0; i < network.endpoints.size(); ++i) {
    Result<void> made = create_veth(handle.root_route.get(), network.endpoints[i], own.get(), FIRST_INDEX + i);
    if (!made) return in_section("network", i, std::move(made));
  }
  return {};
}

// With bridge-nf-call-iptables=1 (Docker sets it) the kernel applies DNAT while a frame is still in the bridge; a container's
// packet to its own published port then has to leave by the port it came by, which a bridge only does in hairpin mode. Without
// that sysctl such packets are routed, and the mode, which also sends broadcasts back to their sender, stays off.
Result<void> allow_hairpin(NetworkHandle& handle, const Network& network) {
  if (network.listeners.empty()) return {};
  std::string filtered;
  {
    NamespaceVisit visit = TRY(NamespaceVisit::enter(handle.root_namespace.get()));
    Result<std::string> value = sys::read_file(AT_FDCWD, "/proc/sys/net/bridge/bridge-nf-call-iptables", 16);
    if (value) filtered = std::move(value).value();
  }
  if (!filtered.starts_with('1')) return {};
  for (const Endpoint& endpoint : network.endpoints) TRY(set_hairpin(handle.root_route.get(), endpoint.host_name));
  return {};
}

Result<void> apply_firewall(NetworkHandle& handle, const Network& network) {
  if (!network.firewall.empty()) {
    Fd netfilter = TRY(open_netlink(NETLINK_NETFILTER));
    TRY(send_batch(netfilter.get(), network.firewall));
  }
  TRY(send_batch(handle.root_netfilter.get(), network.host_firewall));
  // Afterwards: a flow of the address's last owner that goes on is translated anew.
  if (network.conntrack_address.empty()) return {};
  return conntrack_delete(handle.root_netfilter.get(), network.conntrack_address);
}

Result<void> create_name(const std::string& path) {
  std::string directory = path.substr(0, path.rfind('/'));
  for (int attempt = 1;; ++attempt) {
    TRY(sys::make_directories(directory, 0755));
    Result<Fd> file = sys::open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0644);
    if (file) return {};
    if (file.failure().error != ENOENT || attempt == NAME_ATTEMPTS) return std::move(file).failure();
  }
}

Result<void> create_names(const std::vector<std::string>& names) {
  mode_t before = ::umask(022);  // netd reads them as nobody
  Result<void> result;
  for (size_t i = 0; i < names.size() && result; ++i) result = create_name(names[i]);
  ::umask(before);
  return result;
}

// Closed by nobody's hand any more: without an owner, and not waiting to be accepted either. Everything that a process of
// another container in this namespace holds has an inode.
constexpr uint32_t LEFT_OVER = 1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 | 1u << TCP_TIME_WAIT | 1u << TCP_LAST_ACK | 1u << TCP_CLOSING;

Result<std::vector<inet_diag_sockid>> dump_left_over(int diag, uint8_t family) {
  inet_diag_req_v2 request = {};
  request.sdiag_family = family;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = LEFT_OVER;
  NetlinkMessage message;
  message.begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, request);
  std::vector<inet_diag_sockid> found;
  TRY(netlink_dump(diag, message, "sockets", [&](uint16_t, std::span<const uint8_t> body) {
    if (body.size() < sizeof(inet_diag_msg)) return;
    auto* socket = reinterpret_cast<const inet_diag_msg*>(body.data());
    if (socket->idiag_inode == 0) found.push_back(socket->id);
  }));
  return found;
}

void destroy(int diag, uint8_t family, std::span<const inet_diag_sockid> sockets) {
  while (!sockets.empty()) {
    NetlinkMessage message;
    for (const inet_diag_sockid& id : sockets.first(std::min(sockets.size(), DESTROY_CHUNK))) {
      inet_diag_req_v2 request = {};
      request.sdiag_family = family;
      request.sdiag_protocol = IPPROTO_TCP;
      request.idiag_states = ~0u;
      request.id = id;
      message.begin(SOCK_DESTROY, NLM_F_ACK, request);
    }
    // One that is gone already is as good; a kernel without CONFIG_INET_DIAG_DESTROY leaves them to their timers.
    (void)netlink_request(diag, message, "sockets");
    sockets = sockets.subspan(std::min(sockets.size(), DESTROY_CHUNK));
  }
}

Result<NetworkHandle> open(const Network& network, int network_root_fd) {
  NetworkHandle handle;
  handle.root_namespace = TRY(sys::check_fd(::fcntl(network_root_fd, F_DUPFD_CLOEXEC, 0), "fcntl", "network root"));
  if (network.mode != NetworkMode::bridge) return handle;
  handle.root_route = TRY(open_netlink_in(network_root_fd, NETLINK_ROUTE));
  handle.root_netfilter = TRY(open_netlink_in(network_root_fd, NETLINK_NETFILTER));
  return handle;
}

Result<void> build(NetworkHandle& handle, const Network& network) {
  if (network.mode == NetworkMode::host || network.mode == NetworkMode::joined) return {};
  std::vector<Setting> late = TRY(apply_settings(network.settings));
  TRY(create_endpoints(handle, network));
  {
    Fd route = TRY(open_netlink(NETLINK_ROUTE));
    TRY(configure_links(route.get(), network.endpoints));
  }
  TRY(apply_late_settings(late));
  if (network.mode == NetworkMode::none) return {};
  TRY(allow_hairpin(handle, network));
  TRY(apply_firewall(handle, network));
  return create_names(network.names);
}

}  // namespace

Result<NetworkHandle> open_network(const Network& network, int network_root_fd) {
  return in_section("network", 0, open(network, network_root_fd));
}

Result<void> enter_network(NetworkHandle& handle, const Network& network) {
  if (network.mode == NetworkMode::joined) return {};
  bool host = network.mode == NetworkMode::host;
  return in_section("network", 0, host ? sys::setns(handle.root_namespace.get(), CLONE_NEWNET) : sys::unshare(CLONE_NEWNET));
}

Result<void> build_network(NetworkHandle& handle, const Network& network) {
  return in_section("network", 0, build(handle, network));
}

Result<void> destroy_sockets() {
  Fd diag = TRY(open_netlink(NETLINK_SOCK_DIAG));
  for (uint8_t family : {AF_INET, AF_INET6}) {
    Result<std::vector<inet_diag_sockid>> sockets = dump_left_over(diag.get(), family);
    if (sockets) destroy(diag.get(), family, sockets.value());
  }
  return {};
}

}  // namespace caisson
