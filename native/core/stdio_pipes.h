// The pipes of a process without a terminal: its ends and ours.
#pragma once

#include "child.h"

namespace caisson {

struct StdioPipes {
  Stdio child;
  Fd stdin_write, stdout_read, stderr_read;
};

// All empty where the process has a terminal. Its ends belong to its user, who may want to open /dev/stdout again.
Result<StdioPipes> make_stdio(const ProcessPlan& process, bool open_stdin);

}  // namespace caisson
