// The monitor's side of netd: starts it, starts it again, and makes the sockets that it may not make itself.
#pragma once

#include <sys/types.h>

#include <span>

#include "../core/fd.h"
#include "../core/launch_plan.h"
#include "../network/network.h"
#include "../core/result.h"

namespace caisson {

struct Resolver {
  pid_t pid = 0;  // 0: the plan wants no netd; then the other fields are empty
  Fd broker;      // SOCK_SEQPACKET; readable = serve_broker

  // For respawn_resolver: they outlive a netd that dies, so that queries and connections wait for the next one.
  Fd udp, tcp;                      // 127.0.0.11:<port> in the container's namespace
  std::vector<Fd> names;            // names/ of each network, as a detached mount of its own
  std::vector<int> listeners;       // borrowed; those of the plan's listeners that are spliced
  std::vector<uint8_t> config;      // what netd reads at its start
  std::vector<Listener> targets;    // of `listeners`
  std::vector<Upstream> upstreams;
  int root_namespace = -1;          // borrowed from the NetworkHandle
  double allowance = 0;             // sockets that the broker may still make, see broker.cc
  uint64_t allowance_at_ms = 0;
};

// Call it after build_network. `listeners[i]` belongs to network.listeners[i]; handle and listeners must outlive the Resolver.
Result<Resolver> start_resolver(NetworkHandle& handle, const Network& network, std::span<const int> listeners);
// For the monitor's epoll (EPOLLIN). Another one after each respawn; -1 = no netd.
int broker_fd(const Resolver& resolver);
inline pid_t resolver_pid(const Resolver& resolver) { return resolver.pid; }
// Answers what is waiting, a bounded number of requests. Never blocks. After a hang-up it only closes the broker
// (broker_fd is -1 then): the death of netd is seen by waitpid.
void serve_broker(Resolver& resolver);
// After waitpid has seen resolver_pid. The caller waits between attempts.
Result<void> respawn_resolver(Resolver& resolver);

}  // namespace caisson
