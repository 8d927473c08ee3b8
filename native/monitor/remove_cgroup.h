// Ends what runs in a cgroup and removes it.
#pragma once

#include <string>

#include "../core/result.h"

namespace caisson {

// With all below it. A missing one is fine. Waits, at most about two seconds, until the kernel has let go of the processes.
Result<void> remove_cgroup(const std::string& path);

}  // namespace caisson
