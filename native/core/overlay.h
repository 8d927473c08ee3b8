// Overlay file systems out of directories that are held open: no path of the host is looked up again, and none shows inside.
#pragma once

#include <cstdint>
#include <vector>

#include "fd.h"
#include "result.h"

namespace caisson {

// Borrowed; -1: nothing can be written, and then two layers are the least.
struct OverlayTop {
  int upper = -1, work = -1;
};

// A detached mount. `lower`: topmost first. Leaves the working directory at /proc/self/fd.
Result<Fd> mount_overlay(const std::vector<Fd>& lower, OverlayTop top, uint64_t attributes);

}  // namespace caisson
