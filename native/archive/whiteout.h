// What a layer says of those below it, as overlayfs reads it.
#pragma once

#include <sys/stat.h>

#include "../core/root.h"

namespace caisson {

// Nothing of the layers below shows in this directory.
Result<void> set_opaque(const Place& place);
bool is_opaque(int directory);

// What has this name in the layers below is deleted. A character device 0:0; where the file system takes none, because it is
// an overlay itself, an empty file with an attribute (Linux 6.8; EOPNOTSUPP before), which its directory announces.
Result<void> make_whiteout(const Place& place);
bool is_whiteout(const Place& place, const struct stat& info);
// Of a descriptor; O_PATH will do.
bool is_whiteout(int fd, const struct stat& info);

}  // namespace caisson
