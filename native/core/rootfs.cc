// The root: an overlay of the image's layers, made with the mount API of Linux 5.2 so that it never appears in any mount
// table but the container's own.
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "child.h"
#include "overlay.h"
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

}  // namespace

// Attached over the lowest layer's directory: mounts can only be put into a tree that is part of our mount namespace
// (before 6.15), and pivot_root wants a mount point.
Result<void> mount_root(Child& child) {
  Layers layers = TRY(open_layers(child.plan));
  Fd root = TRY(mount_overlay(layers.lower, {.upper = layers.top.upper.get(), .work = layers.top.work.get()}, 0));
  TRY(sys::move_mount(root.get(), layers.lower.back().get(), child.plan.lower.back()));
  child.start.root = Root(std::move(root));
  return {};
}

}  // namespace caisson
