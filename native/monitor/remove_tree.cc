#include "remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include <memory>

#include "../core/sys.h"

namespace caisson {

namespace {

// Each level holds a descriptor and a stack frame. What lies deeper is first moved up, so that a chain of a million
// directories costs neither.
constexpr int MAX_DEPTH = 40;

class Remover {
 public:
  Remover(int top, dev_t device) : top_(top), device_(device) {}

  Result<void> run(const std::string& path) {
    uint64_t moved;
    do {
      moved = moved_;
      empty(top_, 0);
    } while (moved_ > moved);
    if (first_failure_) return in_path(path);
    return {};
  }

 private:
  using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

  void empty(int directory, int depth) {
    Directory list(nullptr, closedir);
    Result<Fd> copy = sys::openat(directory, ".", O_RDONLY | O_DIRECTORY);
    if (copy) list.reset(fdopendir(copy.value().get()));
    if (!list) return fail(copy ? sys::last_failure("fdopendir") : copy.failure());
    copy.value().release();
    while (const struct dirent* entry = readdir(list.get())) {
      std::string name = entry->d_name;
      if (name != "." && name != "..") remove(directory, name, depth);
    }
  }

  void remove(int directory, const std::string& name, int depth) {
    Result<void> gone = sys::unlinkat(directory, name, 0);
    if (gone || gone.failure().error == ENOENT) return;
    if (gone.failure().error != EISDIR && gone.failure().error != EPERM) return fail(gone.failure());
    Result<Fd> child = sys::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!child) return fail(child.failure().error == ENOTDIR ? gone.failure() : child.failure());
    Result<struct stat> info = sys::fstat(child.value().get(), name);
    if (!info || info.value().st_dev != device_) return fail(Failure{.syscall = "rmdir", .error = EXDEV, .path = name});
    if (depth >= MAX_DEPTH && move_up(directory, name)) return;
    empty(child.value().get(), depth + 1);
    gone = sys::unlinkat(directory, name, AT_REMOVEDIR);
    // Not empty because a directory below was moved up meanwhile is no failure; the reason is noted where it arose.
    if (!gone && gone.failure().error != ENOENT && gone.failure().error != ENOTEMPTY) fail(gone.failure());
  }

  bool move_up(int directory, const std::string& name) {
    std::string fresh = ".caisson-moved-" + std::to_string(moved_);
    if (renameat2(directory, name.c_str(), top_, fresh.c_str(), RENAME_NOREPLACE) != 0) return false;
    moved_++;
    return true;
  }

  void fail(const Failure& failure) {
    if (!first_failure_) first_failure_.reset(new Failure(failure));
  }

  Failure in_path(const std::string& path) const {
    Failure failure = *first_failure_;
    failure.path = path + "/…/" + failure.path;
    return failure;
  }

  int top_;
  dev_t device_;
  uint64_t moved_ = 0;
  std::unique_ptr<Failure> first_failure_;
};

}  // namespace

Result<void> remove_tree(const std::string& path) {
  Result<Fd> top = sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!top && top.failure().error == ENOENT) return {};
  if (!top && (top.failure().error == ENOTDIR || top.failure().error == ELOOP)) return sys::unlinkat(AT_FDCWD, path, 0);
  if (!top) return std::move(top).failure();
  dev_t device = TRY(sys::fstat(top.value().get(), path)).st_dev;
  TRY(Remover(top.value().get(), device).run(path));
  Result<void> gone = sys::unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
  if (!gone && gone.failure().error == ENOENT) return {};
  return gone;
}

}  // namespace caisson
