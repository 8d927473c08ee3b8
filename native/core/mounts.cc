#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include <string>
#include <vector>

#include "child.h"
#include "overlay.h"
#include "sys.h"
#include "volume.h"

namespace caisson {

namespace {

// What a volume holds is its containers' doing, while it is mounted elsewhere too: only the kernel can tell where a path in
// it leads.
Result<Fd> clone_source(const Mount& mount) {
  unsigned flags = OPEN_TREE_CLONE | (mount.recursive ? unsigned{AT_RECURSIVE} : 0);
  if (mount.subpath.empty()) return sys::open_tree(AT_FDCWD, mount.source, flags);
  Fd base = TRY(sys::open(mount.source, O_PATH | O_DIRECTORY));
  Fd place = TRY(open_beneath(base.get(), mount.subpath));
  return sys::open_tree(place.get(), "", flags | AT_EMPTY_PATH);
}

Result<Fd> open_source(const Mount& mount) {
  Result<Fd> tree = clone_source(mount);
  if (!tree && tree.failure().error == ENOENT && mount.optional) return Fd();
  return tree;
}

// Held from before the root is mounted: its overlay stands over a directory that may be a layer here too.
Result<std::vector<Fd>> open_image(const Mount& mount) {
  std::vector<Fd> layers;
  for (const std::string& layer : mount.layers) layers.push_back(TRY(sys::open(layer, O_PATH | O_DIRECTORY)));
  layers.push_back(TRY(sys::open(mount.source, O_PATH | O_DIRECTORY)));  // an overlay that nobody writes to needs two
  return layers;
}

// Part of it: a tree can only be cloned out of a mount that is attached (before 6.15), so it is, over the empty directory.
Result<Fd> make_image(const Mount& mount, const std::vector<Fd>& layers) {
  Fd whole = TRY(mount_overlay(layers, {}, mount.attributes));
  if (mount.subpath.empty()) return whole;
  TRY(sys::move_mount(whole.get(), layers.back().get(), mount.source));
  Result<Fd> place = open_beneath(whole.get(), mount.subpath);
  Result<Fd> part = place ? sys::open_tree(place.value().get(), "", OPEN_TREE_CLONE | AT_EMPTY_PATH) : std::move(place);
  TRY(sys::umount2(("/proc/self/fd/" + std::to_string(whole.get())).c_str(), MNT_DETACH));
  return part;
}

Result<Fd> make_filesystem(const Mount& mount) {
  Fd fs = TRY(sys::fsopen(mount.fs_type));
  if (!mount.source.empty()) TRY(sys::fsconfig_string(fs.get(), "source", mount.source));
  for (const std::string& option : mount.options) {
    size_t equals = option.find('=');
    if (equals == std::string::npos) {
      TRY(sys::fsconfig_flag(fs.get(), option));
    } else {
      TRY(sys::fsconfig_string(fs.get(), option.substr(0, equals), option.substr(equals + 1)));
    }
  }
  TRY(sys::fsconfig_create(fs.get()));
  return sys::fsmount(fs.get(), mount.attributes);
}

// The access-time modes are one field of two bits: setting one needs the whole field cleared.
uint64_t cleared_for(uint64_t attributes) { return attributes & MOUNT_ATTR__ATIME ? MOUNT_ATTR__ATIME : 0; }

Result<void> set_bind_attributes(int tree, const Mount& mount) {
  uint64_t propagation = mount.propagation == 0 ? uint64_t{MS_PRIVATE} : mount.propagation;
  unsigned flags = mount.recursive ? AT_RECURSIVE : 0;
  return sys::mount_setattr(tree, flags, mount.attributes, cleared_for(mount.attributes), propagation, mount.target);
}

Result<bool> is_directory(int fd) {
  struct stat info = TRY(sys::fstat(fd));
  return S_ISDIR(info.st_mode);
}

// proc and sysfs have to be where everybody looks for them: an image with a symlink there is refused (CVE-2019-19921).
uint64_t resolve_flags(const Mount& mount) {
  bool kernel = mount.fs_type == "proc" || mount.fs_type == "sysfs";
  return mount.kind == MountKind::filesystem && kernel ? RESOLVE_NO_SYMLINKS : 0;
}

Result<Fd> open_target(const Root& root, const Mount& mount, bool directory) {
  uint64_t resolve = resolve_flags(mount);
  if (mount.create == CreateTarget::none) return root.open(mount.target, O_PATH, resolve);
  return directory ? root.directory(mount.target, resolve) : root.file(mount.target);
}

// A symlink in the image must not lead a mount into /proc, where it could stand for what others trust; only a plan that
// says so itself gets there (CVE-2019-16884).
Result<void> refuse_procfs(int target, const Mount& mount) {
  struct statfs info;
  TRY(sys::check(::fstatfs(target, &info), "fstatfs", mount.target));
  if (info.f_type != PROC_SUPER_MAGIC || mount.target.starts_with("/proc/")) return {};
  return Failure{.syscall = "move_mount", .error = EPERM, .path = mount.target};
}

Result<Fd> make_tree(const Mount& mount, Fd source, const std::vector<Fd>& layers) {
  switch (mount.kind) {
    case MountKind::filesystem:
      return make_filesystem(mount);
    case MountKind::image:
      return make_image(mount, layers);
    case MountKind::bind:
    case MountKind::volume:
    case MountKind::joined:
      return source;
  }
  return Failure{.syscall = "check", .error = EINVAL, .path = mount.target};
}

Result<void> apply_mount(const Root& root, const Mount& mount, Fd source, const std::vector<Fd>& layers) {
  bool filesystem = mount.kind == MountKind::filesystem;
  Fd tree = TRY(make_tree(mount, std::move(source), layers));
  if (!tree) return {};
  bool directory = TRY(is_directory(tree.get()));
  Fd target = TRY(open_target(root, mount, directory));
  TRY(refuse_procfs(target.get(), mount));
  if (mount.kind == MountKind::volume && directory) TRY(fill_volume(target.get(), tree.get()));
  if (!filesystem) TRY(set_bind_attributes(tree.get(), mount));
  return sys::move_mount(tree.get(), target.get(), mount.target);
}

}  // namespace

Result<void> open_bind_sources(Child& child) {
  const std::vector<Mount>& mounts = child.plan.mounts;
  child.sources.resize(mounts.size());
  child.images.resize(mounts.size());
  for (size_t i = 0; i < mounts.size(); i++) {
    bool ours = mounts[i].kind == MountKind::bind || mounts[i].kind == MountKind::volume;
    if (ours) child.sources[i] = TRY(at_item(i, open_source(mounts[i])));
    if (mounts[i].kind == MountKind::image) child.images[i] = TRY(at_item(i, open_image(mounts[i])));
  }
  return {};
}

Result<void> apply_mounts(Child& child) {
  for (size_t i = 0; i < child.plan.mounts.size(); i++) {
    TRY(at_item(i, apply_mount(child.start.root, child.plan.mounts[i], std::move(child.sources[i]), child.images[i])));
  }
  return {};
}

}  // namespace caisson
