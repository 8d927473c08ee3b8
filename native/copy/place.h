// The root that a copy reads or writes in: nothing of what it does leaves it.
#pragma once

#include <span>

#include "../core/result.h"
#include "../core/root.h"

namespace caisson {

// `kind`: `host` (a directory), `running` (control socket of a monitor: the mount namespace of its container is entered) or
// `stopped` (its root is mounted in a namespace of this process; `more`: lower PATH … upper PATH work PATH, and for each mount
// bind, bind-ro, volume (filled from the image where it is empty) or volume-ro, SOURCE, TARGET).
Result<Root> enter_place(const std::string& kind, const std::string& place, std::span<char* const> more);

}  // namespace caisson
