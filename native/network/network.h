// Network of one container: veths into the bridges of the NetworkRoot, addresses, routes, sysctls, firewall, names.
#pragma once

#include "../core/fd.h"
#include "../core/launch_plan.h"
#include "../core/result.h"

namespace caisson {

// What the monitor keeps of the NetworkRoot (a network namespace, DESIGN §4) once it lives in the container's.
struct NetworkHandle {
  Fd root_namespace;
  Fd root_route;      // NETLINK_ROUTE there
  Fd root_netfilter;  // NETLINK_NETFILTER there
};

// Opens the sockets, in the namespace `network_root_fd` (borrowed). Call it before enter_network.
Result<NetworkHandle> open_network(const Network& network, int network_root_fd);
// Puts the caller, and what it starts from here on, in the namespace of the container: a new one, or the NetworkRoot
// itself with `network_mode: host`. A joined one is entered by native/monitor/joins.cc instead.
Result<void> enter_network(NetworkHandle& handle, const Network& network);
// Everything else; lo is up first, the names come last. Call it after enter_network. What a failure leaves behind, the
// undo list takes away.
Result<void> build_network(NetworkHandle& handle, const Network& network);
// Ends the TCP sockets that a run has left in the caller's namespace, TIME_WAIT included (a server without
// SO_REUSEADDR could not bind again). Call it between two runs, when nothing of the container lives. What a process holds
// stays: the resolver's, and those of containers that share the namespace.
Result<void> destroy_sockets();

}  // namespace caisson
