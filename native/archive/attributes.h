// Owner, mode, extended attributes and times of what was unpacked.
#pragma once

#include <string>
#include <vector>

#include "../core/root.h"
#include "tar_entry.h"

namespace caisson {

// By name in a directory that nobody else writes to; never follows a symlink. Returns the names of attributes that the file
// system does not take.
Result<std::vector<std::string>> set_attributes(const Place& place, const TarEntry& entry);
// The same without extended attributes, where somebody else may exchange what has the name meanwhile: EBUSY then.
Result<void> set_attributes_guarded(const Place& place, const TarEntry& entry);
Result<void> set_time(const Place& place, const struct timespec& mtime);

// Owner, mode, time and attributes of a directory of a lower layer, where it has one of the same name.
Result<void> copy_directory_attributes(int from, const Place& to);

}  // namespace caisson
