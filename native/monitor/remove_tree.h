// rm -r of what a container has written. It chose the names, the depth and the number: nothing here trusts them.
#pragma once

#include <string>

#include "../core/result.h"

namespace caisson {

// Removes `path` with all below it on the same file system, never following a symlink. A missing path is fine.
Result<void> remove_tree(const std::string& path);

}  // namespace caisson
