// One entry of a tar archive, as it stands there: whoever writes it to a disk decides what of it to believe.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../core/result.h"

namespace caisson {

enum class TarType { file, directory, symlink, hardlink, character, block, fifo };

struct Xattr {
  std::string name, value;
};

// A run of content in a sparse file; what lies between runs is a hole.
struct Extent {
  uint64_t offset = 0, size = 0;
};

struct TarEntry {
  TarType type = TarType::file;
  std::string name;  // without NUL, at most PATH_MAX bytes; may be absolute or hold `..`
  std::string link;  // target of a symlink, or name of an earlier entry
  mode_t mode = 0;   // permission bits with setuid, setgid and sticky
  uid_t uid = 0;     // never -1, which chown takes for "as it is"
  gid_t gid = 0;
  struct timespec mtime = {};
  uint64_t size = 0;  // bytes of a file's content once written, holes included
  uint32_t major = 0, minor = 0;
  std::vector<Xattr> xattrs;
  // Where the content goes; empty: all of it from the start. In order, within `size`.
  std::vector<Extent> extents;
};

// An archive that is damaged or hostile. `why` continues a sentence whose subject is `name`, or stands alone without one.
Failure refused(std::string_view name, std::string_view why);
// Whether it came from there, and is no failed system call.
bool is_refusal(const Failure& failure);

}  // namespace caisson
