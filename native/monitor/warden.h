// A process beside a monitor that has no outer pid namespace, whose end would end the container: it waits for the monitor's
// end, by whatever signal, and kills what is left by its cgroups. The parent-death signal alone misses what has changed its
// uid. Until it is through, the container's alive lock is held: no command finds half of it.
#pragma once

#include "../core/launch_plan.h"
#include "../core/result.h"
#include "../core/sys.h"

namespace caisson {

class Warden {
 public:
  // Of this process; while it has no descriptors but those of monitor_fd.
  static Result<Warden> start(const LaunchPlan& plan);
  // The monitor ends its container itself. Before it gives the alive lock back: what comes next has the same cgroups.
  void dismiss();

 private:
  Fd pidfd_;
};

}  // namespace caisson
