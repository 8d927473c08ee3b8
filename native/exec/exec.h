// `caisson-monitor exec`: a further process in a running container.
#pragma once

namespace caisson {

// fd 3: execPlan, fd 4: result frames, 0 1 2: the caller's stdio. Returns the exit code.
int exec_main();

}  // namespace caisson
