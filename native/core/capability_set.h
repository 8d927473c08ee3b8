// Capability sets of the calling process.
#pragma once

#include <linux/capability.h>

#include "launch_plan.h"
#include "result.h"

namespace caisson {

// capset(2) of the plan's sets, with `kept` added to permitted and effective.
Result<void> set_capabilities(const Capabilities& capabilities, uint64_t kept);

// What installing the filter without no_new_privs takes.
inline uint64_t capability_to_seal(const ProcessPlan& process) {
  return process.seccomp.empty() || process.no_new_privileges ? 0 : uint64_t{1} << CAP_SYS_ADMIN;
}

}  // namespace caisson
