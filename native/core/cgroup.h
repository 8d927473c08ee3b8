// cgroup directories with their limits, made before the process exists; v1, hybrid and v2.
#pragma once

#include <vector>

#include "fd.h"
#include "launch_plan.h"
#include "result.h"

namespace caisson {

// How the new process gets into its cgroups.
struct CgroupEntry {
  Fd unified;              // directory for CLONE_INTO_CGROUP; empty without a v2 hierarchy
  std::vector<Fd> joins;   // v1 `tasks` files, opened by the parent: writing 0 there moves the writer, and
                           // takes no threadgroup_rwsem as cgroup.procs does (it can wait for an RCU grace period)
};

Result<CgroupEntry> open_cgroups(const LaunchPlan& plan);

}  // namespace caisson
