// Looking up a file in image layers without mounting them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "../core/fd.h"
#include "../core/result.h"

namespace caisson::addon {

// Resolves absolute `path` as the overlay of `layers` (topmost first) would, whiteouts, opaque directories and symlinks
// included, never leaving them. The descriptor of a regular file; ENOENT if there is none.
Result<Fd> open_in_layers(std::span<const std::string> layers, const std::string& path);

}  // namespace caisson::addon
