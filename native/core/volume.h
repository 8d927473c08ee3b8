// Filling an empty volume from the image directory that it is mounted on.
#pragma once

#include "result.h"

namespace caisson {

// Copies `image` (a directory, O_PATH) into `volume` (a directory, O_PATH) if that is empty: owner, mode, times, xattrs,
// hard links within the tree; sockets are left out. Never follows a symlink, never leaves either file system. Two
// containers that start at once with one empty volume wait for each other.
Result<void> fill_volume(int image, int volume);

}  // namespace caisson
