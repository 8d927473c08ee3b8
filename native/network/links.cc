#include "links.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "../core/sys.h"
#include "netlink.h"

namespace caisson {
namespace {

constexpr int LOOPBACK_INDEX = 1;

Failure no_link(const std::string& name) { return Failure{.syscall = "ioctl", .error = ENODEV, .path = name}; }

// By ioctl, which any socket of the namespace takes: shorter than a dump. 0: no such link.
Result<int> index_of(int socket, const std::string& name) {
  ifreq request = {};
  if (name.empty() || name.size() >= sizeof request.ifr_name) return no_link(name);
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  if (::ioctl(socket, SIOCGIFINDEX, &request) == 0) return request.ifr_ifindex;
  if (errno == ENODEV) return 0;
  return sys::last_failure("ioctl", name);
}

ifinfomsg link_header(int index, unsigned flags = 0) {
  ifinfomsg header = {};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = index;
  header.ifi_flags = flags;
  header.ifi_change = flags;
  return header;
}

void add_address(NetlinkMessage& message, int index, std::span<const uint8_t> address, uint8_t prefix_length) {
  ifaddrmsg header = {};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = prefix_length;
  header.ifa_index = index;
  message.begin(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, header);
  message.attribute(IFA_LOCAL, address);
  message.attribute(IFA_ADDRESS, address);
  uint32_t mask = prefix_length == 0 ? 0 : ~uint32_t{0} << (32 - prefix_length);
  uint32_t broadcast = 0;
  memcpy(&broadcast, address.data(), sizeof broadcast);
  broadcast |= htonl(~mask);
  if (prefix_length < 31) message.u32(IFA_BROADCAST, broadcast);
}

void add_default_route(NetlinkMessage& message, int index, std::span<const uint8_t> gateway) {
  rtmsg header = {};
  header.rtm_family = AF_INET;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_BOOT;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  message.begin(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, header);
  message.attribute(RTA_GATEWAY, gateway);
  message.u32(RTA_OIF, index);
}

// STP stays off: a port forwards at once, and no BPDU of a container is listened to.
void add_bridge(NetlinkMessage& message, const Bridge& bridge) {
  message.begin(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, link_header(0));
  message.text(IFLA_IFNAME, bridge.name);
  message.attribute(IFLA_ADDRESS, bridge.mac);
  size_t info = message.nest(IFLA_LINKINFO);
  message.text(IFLA_INFO_KIND, "bridge");
  size_t data = message.nest(IFLA_INFO_DATA);
  message.u32(IFLA_BR_STP_STATE, 0);
  message.u32(IFLA_BR_FORWARD_DELAY, 0);
  message.end(data);
  message.end(info);
}

// No IPv6 link-local address: the network is IPv4 only (CVE-2024-32473 class). A kernel without IPv6 refuses the word.
Result<void> no_link_local(int route, const std::string& name, int index) {
  NetlinkMessage message;
  message.begin(RTM_NEWLINK, NLM_F_ACK, link_header(index));
  size_t families = message.nest(IFLA_AF_SPEC);
  size_t inet6 = message.nest(AF_INET6);
  message.u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  message.end(inet6);
  message.end(families);
  Result<void> result = netlink_request(route, message, name);
  if (!result && result.failure().error == EAFNOSUPPORT) return {};
  return result;
}

template <class Header>
const Header* header_of(std::span<const uint8_t> body) {
  return body.size() >= sizeof(Header) ? reinterpret_cast<const Header*>(body.data()) : nullptr;
}

template <class Header>
std::span<const uint8_t> attributes_of(std::span<const uint8_t> body) {
  return body.subspan(std::min<size_t>(NLMSG_ALIGN(sizeof(Header)), body.size()));
}

using Names = std::vector<std::pair<int, std::string>>;

Result<Names> dump_links(int route) {
  NetlinkMessage message;
  message.begin(RTM_GETLINK, NLM_F_DUMP, link_header(0));
  Names names;
  TRY(netlink_dump(route, message, "links", [&](uint16_t type, std::span<const uint8_t> body) {
    auto* header = header_of<ifinfomsg>(body);
    if (type != RTM_NEWLINK || header == nullptr) return;
    for_each_attribute(attributes_of<ifinfomsg>(body), [&](uint16_t kind, std::span<const uint8_t> content) {
      auto* text = reinterpret_cast<const char*>(content.data());
      if (kind == IFLA_IFNAME) names.emplace_back(header->ifi_index, std::string(text, strnlen(text, content.size())));
    });
  }));
  return names;
}

std::string name_of(const Names& names, uint32_t index) {
  for (const auto& [number, name] : names) {
    if (number == static_cast<int>(index)) return name;
  }
  return {};
}

void copy_address(std::span<const uint8_t> content, Route& route) {
  if (content.size() == route.address.size()) std::copy(content.begin(), content.end(), route.address.begin());
}

uint32_t number_in(std::span<const uint8_t> content) {
  uint32_t number = 0;
  if (content.size() == sizeof number) memcpy(&number, content.data(), sizeof number);
  return number;
}

Result<void> dump_routes(int route, const Names& names, std::vector<Route>& found) {
  NetlinkMessage message;
  rtmsg request = {};
  request.rtm_family = AF_INET;
  message.begin(RTM_GETROUTE, NLM_F_DUMP, request);
  return netlink_dump(route, message, "routes", [&](uint16_t type, std::span<const uint8_t> body) {
    auto* header = header_of<rtmsg>(body);
    if (type != RTM_NEWROUTE || header == nullptr || header->rtm_family != AF_INET) return;
    Route item = {.address = {}, .prefix_length = header->rtm_dst_len, .interface = {}};
    for_each_attribute(attributes_of<rtmsg>(body), [&](uint16_t kind, std::span<const uint8_t> content) {
      if (kind == RTA_DST) copy_address(content, item);
      if (kind == RTA_OIF) item.interface = name_of(names, number_in(content));
    });
    found.push_back(std::move(item));
  });
}

Result<void> dump_addresses(int route, const Names& names, std::vector<Route>& found) {
  NetlinkMessage message;
  ifaddrmsg request = {};
  request.ifa_family = AF_INET;
  message.begin(RTM_GETADDR, NLM_F_DUMP, request);
  return netlink_dump(route, message, "addresses", [&](uint16_t type, std::span<const uint8_t> body) {
    auto* header = header_of<ifaddrmsg>(body);
    if (type != RTM_NEWADDR || header == nullptr || header->ifa_family != AF_INET) return;
    Route item = {.address = {}, .prefix_length = header->ifa_prefixlen, .interface = name_of(names, header->ifa_index)};
    for_each_attribute(attributes_of<ifaddrmsg>(body), [&](uint16_t kind, std::span<const uint8_t> content) {
      if (kind == IFA_ADDRESS) copy_address(content, item);
    });
    found.push_back(std::move(item));
  });
}

}  // namespace

Result<void> ensure_bridge(int route, const Bridge& bridge) {
  NetlinkMessage create;
  add_bridge(create, bridge);
  Result<void> created = netlink_request(route, create, bridge.name);
  if (!created && created.failure().error != EEXIST) return created;
  int index = TRY(index_of(route, bridge.name));
  if (index == 0) return no_link(bridge.name);
  TRY(no_link_local(route, bridge.name, index));
  NetlinkMessage configure;
  configure.begin(RTM_NEWLINK, NLM_F_ACK, link_header(index, IFF_UP));
  configure.attribute(IFLA_ADDRESS, bridge.mac);
  if (bridge.mtu != 0) configure.u32(IFLA_MTU, bridge.mtu);
  add_address(configure, index, bridge.address, bridge.prefix_length);
  return netlink_request(route, configure, bridge.name);
}

Result<void> delete_link(int route, const std::string& name) {
  NetlinkMessage message;
  message.begin(RTM_DELLINK, NLM_F_ACK, link_header(0));
  message.text(IFLA_IFNAME, name);
  Result<void> result = netlink_request(route, message, name);
  if (!result && result.failure().error == ENODEV) return {};
  return result;
}

Result<void> create_veth(int route, const Endpoint& endpoint, int peer_namespace, int peer_index) {
  int bridge = TRY(index_of(route, endpoint.bridge));
  if (bridge == 0) return no_link(endpoint.bridge);
  NetlinkMessage message;
  message.begin(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, link_header(0, IFF_UP));
  message.text(IFLA_IFNAME, endpoint.host_name);
  message.u32(IFLA_MASTER, bridge);
  if (endpoint.mtu != 0) message.u32(IFLA_MTU, endpoint.mtu);
  size_t info = message.nest(IFLA_LINKINFO);
  message.text(IFLA_INFO_KIND, "veth");
  size_t data = message.nest(IFLA_INFO_DATA);
  size_t peer = message.nest(VETH_INFO_PEER);
  // Not up yet: while the pair is made, a veth has no peer, and ENOTCONN would be the answer.
  ifinfomsg peer_header = link_header(peer_index);
  message.append(&peer_header, sizeof peer_header);
  message.text(IFLA_IFNAME, endpoint.name);
  message.attribute(IFLA_ADDRESS, endpoint.mac);
  if (endpoint.mtu != 0) message.u32(IFLA_MTU, endpoint.mtu);
  message.u32(IFLA_NET_NS_FD, peer_namespace);
  message.end(peer);
  message.end(data);
  message.end(info);
  return netlink_request(route, message, endpoint.host_name);
}

Result<void> set_hairpin(int route, const std::string& name) {
  NetlinkMessage message;
  message.begin(RTM_NEWLINK, NLM_F_ACK, link_header(0));
  message.text(IFLA_IFNAME, name);
  size_t info = message.nest(IFLA_LINKINFO);
  message.text(IFLA_INFO_SLAVE_KIND, "bridge");
  size_t data = message.nest(IFLA_INFO_SLAVE_DATA);
  message.u8(IFLA_BRPORT_MODE, 1);
  message.end(data);
  message.end(info);
  return netlink_request(route, message, name);
}

Result<void> configure_links(int route, const std::vector<Endpoint>& endpoints) {
  NetlinkMessage message;
  message.begin(RTM_NEWLINK, NLM_F_ACK, link_header(LOOPBACK_INDEX, IFF_UP));
  for (size_t i = 0; i < endpoints.size(); ++i) {
    message.begin(RTM_NEWLINK, NLM_F_ACK, link_header(FIRST_INDEX + i, IFF_UP));
    add_address(message, FIRST_INDEX + i, endpoints[i].address, endpoints[i].prefix_length);
  }
  for (size_t i = 0; i < endpoints.size(); ++i) {
    if (!endpoints[i].gateway.empty()) add_default_route(message, FIRST_INDEX + i, endpoints[i].gateway);
  }
  return netlink_request(route, message, "addresses");
}

Result<std::vector<Route>> list_routes(int route) {
  Names names = TRY(dump_links(route));
  std::vector<Route> found;
  TRY(dump_routes(route, names, found));
  TRY(dump_addresses(route, names, found));
  return found;
}

Result<std::vector<std::string>> list_links(int route) {
  std::vector<std::string> names;
  for (auto& [index, name] : TRY(dump_links(route))) names.push_back(std::move(name));
  return names;
}

}  // namespace caisson
