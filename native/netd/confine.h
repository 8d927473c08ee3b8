// What processes give up that read untrusted input: netd, and the probes of health checks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "../core/result.h"

namespace caisson {

// Nobody, without groups and capabilities, for good.
Result<void> drop_privileges();
// Ends with `parent`, or fails if that has ended. After a change of uid, which clears it.
Result<void> die_with(pid_t parent);
// `filter`: array of struct sock_filter; empty: none.
Result<void> filter_system_calls(const std::vector<uint8_t>& filter);

}  // namespace caisson
