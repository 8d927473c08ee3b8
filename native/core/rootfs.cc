// The root: an overlay of the image's layers, made with the mount API of Linux 5.2 so that it never appears in any mount
// table but the container's own.
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "child.h"
#include "sys.h"

namespace caisson {

namespace {

// Where the writable part lives; `work` is fresh: a work directory that was used before costs ten times the mount.
struct Upper {
  Fd upper, work;
};

struct Layers {
  std::vector<Fd> lower;  // topmost first
  Upper top;
};

// A tmpfs serves where the state root is an overlay itself, which the kernel refuses as upper. It has to be attached
// somewhere in our mount namespace for overlayfs to take it (before 6.15): over the lowest layer, a directory that surely
// exists; we hold that layer already.
Result<Upper> upper_on_tmpfs(int anchor) {
  Fd fs = TRY(sys::fsopen("tmpfs"));
  TRY(sys::fsconfig_string(fs.get(), "source", "caisson"));
  TRY(sys::fsconfig_string(fs.get(), "mode", "0700"));
  TRY(sys::fsconfig_create(fs.get()));
  Fd mount = TRY(sys::fsmount(fs.get(), 0));
  TRY(sys::mkdirat(mount.get(), "upper", 0755));
  TRY(sys::mkdirat(mount.get(), "work", 0700));
  TRY(sys::move_mount(mount.get(), anchor, "tmpfs"));
  Fd upper = TRY(sys::openat(mount.get(), "upper", O_PATH | O_DIRECTORY));
  Fd work = TRY(sys::openat(mount.get(), "work", O_PATH | O_DIRECTORY));
  return Upper{std::move(upper), std::move(work)};
}

Result<Layers> open_layers(const LaunchPlan& plan) {
  Layers layers;
  for (size_t i = 0; i < plan.lower.size(); i++) {
    layers.lower.push_back(TRY(at_item(i, sys::open(plan.lower[i], O_PATH | O_DIRECTORY))));
  }
  if (plan.upper.empty()) {
    layers.top = TRY(upper_on_tmpfs(layers.lower.back().get()));
  } else {
    layers.top.upper = TRY(sys::open(plan.upper, O_PATH | O_DIRECTORY));
    layers.top.work = TRY(sys::open(plan.work, O_PATH | O_DIRECTORY));
  }
  return layers;
}

std::string name_of(const Fd& fd) { return std::to_string(fd.get()); }

// The current directory is /proc/self/fd here, so a layer's name is its descriptor number: fsconfig takes at most 255
// bytes, and mountinfo inside the container must not show host paths.
Result<void> name_lowers(int fs, const std::vector<Fd>& lower) {
  for (size_t i = 0; i < lower.size(); i++) TRY(at_item(i, sys::fsconfig_string(fs, "lowerdir+", name_of(lower[i]))));
  return {};
}

// Before `lowerdir+` (Linux 6.8) all share one string.
Result<void> name_lowers_joined(int fs, const std::vector<Fd>& lower) {
  std::string joined;
  for (const Fd& layer : lower) joined += (joined.empty() ? "" : ":") + name_of(layer);
  return sys::fsconfig_string(fs, "lowerdir", joined);
}

Result<Fd> make_overlay(const Layers& layers, Result<void> (*name)(int, const std::vector<Fd>&)) {
  Fd fs = TRY(sys::fsopen("overlay"));
  TRY(sys::fsconfig_string(fs.get(), "source", "overlay"));
  TRY(name(fs.get(), layers.lower));
  TRY(sys::fsconfig_string(fs.get(), "upperdir", name_of(layers.top.upper)));
  TRY(sys::fsconfig_string(fs.get(), "workdir", name_of(layers.top.work)));
  TRY(sys::fsconfig_create(fs.get()));
  return sys::fsmount(fs.get(), 0);
}

// A kernel that lacks `lowerdir+` may take the option and complain at the end (before 6.5, seen on 6.1).
Result<Fd> mount_overlay(const Layers& layers) {
  TRY(sys::check(::chdir("/proc/self/fd"), "chdir", "/proc/self/fd"));
  Result<Fd> made = make_overlay(layers, name_lowers);
  if (made || made.failure().error != EINVAL) return made;
  return make_overlay(layers, name_lowers_joined);
}

}  // namespace

// Attached over the lowest layer's directory: mounts can only be put into a tree that is part of our mount namespace
// (before 6.15), and pivot_root wants a mount point.
Result<void> mount_root(Child& child) {
  Layers layers = TRY(open_layers(child.plan));
  Fd root = TRY(mount_overlay(layers));
  TRY(sys::move_mount(root.get(), layers.lower.back().get(), child.plan.lower.back()));
  child.start.root = Root(std::move(root));
  return {};
}

}  // namespace caisson
