#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "child.h"
#include "sys.h"

namespace caisson {

namespace {

bool is_missing(const Failure& failure) { return failure.error == ENOENT || failure.error == ENOTDIR; }

// One read-only tmpfs for all masked directories: superblocks are what costs, here and when they are torn down.
Result<Fd> make_empty_directory() {
  Fd fs = TRY(sys::fsopen("tmpfs"));
  TRY(sys::fsconfig_string(fs.get(), "mode", "0555"));
  TRY(sys::fsconfig_create(fs.get()));
  return sys::fsmount(fs.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

Result<Fd> open_host_null() {
  Fd null = TRY(sys::open("/dev/null", O_PATH | O_NOFOLLOW));
  struct stat info = TRY(sys::fstat(null.get(), "/dev/null"));
  if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3)) {
    return Failure{.syscall = "openat", .error = ENODEV, .path = "/dev/null"};
  }
  return null;
}

Result<Fd> clone_mount(int fd) { return sys::open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE); }

class Masks {
 public:
  Result<void> apply(const Root& root, const std::string& path) {
    Result<Fd> target = root.open(path);
    if (!target) return is_missing(target.failure()) ? Result<void>() : std::move(target).failure();
    struct stat info = TRY(sys::fstat(target.value().get(), path));
    return S_ISDIR(info.st_mode) ? cover_directory(target.value(), path) : cover_file(target.value(), path);
  }

 private:
  Result<void> cover_file(const Fd& target, const std::string& path) {
    if (!null_) null_ = TRY(open_host_null());
    Fd tree = TRY(clone_mount(null_.get()));
    return sys::move_mount(tree.get(), target.get(), path);
  }

  // A tree can be cloned once it is part of our mount namespace (before 6.15): the first goes in itself.
  Result<void> cover_directory(const Fd& target, const std::string& path) {
    if (empty_) {
      Fd tree = TRY(clone_mount(empty_.get()));
      return sys::move_mount(tree.get(), target.get(), path);
    }
    empty_ = TRY(make_empty_directory());
    return sys::move_mount(empty_.get(), target.get(), path);
  }

  Fd null_, empty_;
};

Result<void> make_read_only(const Root& root, const std::string& path) {
  Result<Fd> target = root.open(path);
  if (!target) return is_missing(target.failure()) ? Result<void>() : std::move(target).failure();
  int fd = target.value().get();
  Fd tree = TRY(sys::open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | AT_RECURSIVE));
  TRY(sys::mount_setattr(tree.get(), AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, 0, path));
  return sys::move_mount(tree.get(), fd, path);
}

}  // namespace

// Read-only ones first: a mask below one of them (none by default) stays on top.
Result<void> protect_paths(Child& child) {
  const LaunchPlan& plan = child.plan;
  for (size_t i = 0; i < plan.readonly_paths.size(); i++) {
    TRY(at_item(i, make_read_only(child.start.root, plan.readonly_paths[i])));
  }
  Masks masks;
  for (size_t i = 0; i < plan.masked_paths.size(); i++) {
    TRY(at_item(i, masks.apply(child.start.root, plan.masked_paths[i])));
  }
  return {};
}

}  // namespace caisson
