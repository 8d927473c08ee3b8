#include "overlay.h"

#include <errno.h>
#include <unistd.h>

#include <string>

#include "sys.h"

namespace caisson {

namespace {

// The current directory is /proc/self/fd here, so a layer's name is its descriptor number: fsconfig takes at most 255
// bytes, and mountinfo inside the container must not show host paths.
std::string name_of(int fd) { return std::to_string(fd); }

Result<void> name_lowers(int fs, const std::vector<Fd>& lower) {
  for (size_t i = 0; i < lower.size(); i++) {
    TRY(at_item(i, sys::fsconfig_string(fs, "lowerdir+", name_of(lower[i].get()))));
  }
  return {};
}

// Before `lowerdir+` (Linux 6.8) all share one string.
Result<void> name_lowers_joined(int fs, const std::vector<Fd>& lower) {
  std::string joined;
  for (const Fd& layer : lower) joined += (joined.empty() ? "" : ":") + name_of(layer.get());
  return sys::fsconfig_string(fs, "lowerdir", joined);
}

using NameLowers = Result<void> (*)(int, const std::vector<Fd>&);

Result<Fd> make_overlay(const std::vector<Fd>& lower, OverlayTop top, uint64_t attributes, NameLowers name) {
  Fd fs = TRY(sys::fsopen("overlay"));
  TRY(sys::fsconfig_string(fs.get(), "source", "overlay"));
  TRY(name(fs.get(), lower));
  if (top.upper >= 0) {
    TRY(sys::fsconfig_string(fs.get(), "upperdir", name_of(top.upper)));
    TRY(sys::fsconfig_string(fs.get(), "workdir", name_of(top.work)));
  }
  TRY(sys::fsconfig_create(fs.get()));
  return sys::fsmount(fs.get(), attributes);
}

}  // namespace

// A kernel that lacks `lowerdir+` may take the option and complain at the end (before 6.5, seen on 6.1).
Result<Fd> mount_overlay(const std::vector<Fd>& lower, OverlayTop top, uint64_t attributes) {
  TRY(sys::check(::chdir("/proc/self/fd"), "chdir", "/proc/self/fd"));
  Result<Fd> made = make_overlay(lower, top, attributes, name_lowers);
  if (made || made.failure().error != EINVAL) return made;
  return make_overlay(lower, top, attributes, name_lowers_joined);
}

}  // namespace caisson
