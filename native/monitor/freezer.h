// Freezes and thaws all processes of a container: the freezer hierarchy of cgroup v1, cgroup.freeze of v2 (Linux 5.2).
#pragma once

#include "../core/launch_plan.h"
#include "../core/result.h"

namespace caisson {

// Returns when the kernel says that they are, or with EBUSY after a moment; what was asked for stays in force then only for
// thawing.
Result<void> set_frozen(const LaunchPlan& plan, bool frozen);

}  // namespace caisson
