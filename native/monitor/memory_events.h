// Whether the kernel has killed processes of a container for want of memory.
#pragma once

#include <cstdint>

#include "../core/launch_plan.h"

namespace caisson {

// Count of the cgroup's OOM kills so far; 0 where it cannot be known. A counter instead of the eventfd of v1: that one also
// fires when the cgroup is removed, and misses what happened before it was asked.
uint64_t oom_kills(const MemoryEvents& events);

}  // namespace caisson
