// Namespaces of other containers: entered by the monitor before it makes its own container, which is then born in them. The
// start path needs to know nothing of it. Which ones, is in LaunchPlan.joins.
#pragma once

#include "../core/container.h"

namespace caisson {

// Network: also while the other container stands between two runs, because its monitor holds the namespace. For good.
Result<void> join_network(const LaunchPlan& plan);

// create_container with the ipc and pid namespaces of the containers as they run now; to be asked anew for each run. The pid
// namespace is that of the container alone: what the monitor starts later (netd, probes) is born in the monitor's own.
Result<Container> create_joined(const LaunchPlan& plan);

// Whether the container has a pid namespace of its own: only then nothing of it is left once its init has been reaped.
bool owns_pid_namespace(const LaunchPlan& plan);
// Kills what the init has left, where it does not. The cgroups go with it.
void end_processes(const LaunchPlan& plan);

}  // namespace caisson
