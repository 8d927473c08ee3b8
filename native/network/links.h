// Links, addresses and routes by rtnetlink. Each function works in the namespace of the socket it is given.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "../core/launch_plan.h"
#include "../core/result.h"

namespace caisson {

struct Bridge {
  std::string name;
  std::array<uint8_t, 4> address;  // of the gateway
  uint8_t prefix_length;
  std::array<uint8_t, 6> mac;
  uint32_t mtu;  // 0 = kernel default
};
// Creates the bridge where it is missing; address, MAC, mtu, up. What is already so stays so.
Result<void> ensure_bridge(int route, const Bridge& bridge);
// RTM_DELLINK. A missing link is fine. A bridge takes up to 35 ms, a veth 16.
Result<void> delete_link(int route, const std::string& name);

// Creates the pair: the host end in the bridge and up, the peer directly in `peer_namespace` as endpoint.name, with
// the interface index `peer_index`. Never moved afterwards: that costs 26 ms.
Result<void> create_veth(int route, const Endpoint& endpoint, int peer_namespace, int peer_index);
// `ip link set <name> type bridge_slave hairpin on`.
Result<void> set_hairpin(int route, const std::string& name);
// In the container's namespace: lo up; the endpoints (index FIRST_INDEX + i) up, with address and default route. One exchange.
constexpr int FIRST_INDEX = 2;
Result<void> configure_links(int route, const std::vector<Endpoint>& endpoints);

struct Route {
  std::array<uint8_t, 4> address;
  uint8_t prefix_length;
  std::string interface;  // may be empty (blackhole …)
};
// IPv4 destinations of all tables, then the networks of addresses.
Result<std::vector<Route>> list_routes(int route);
Result<std::vector<std::string>> list_links(int route);

}  // namespace caisson
