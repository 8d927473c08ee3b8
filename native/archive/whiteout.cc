#include "whiteout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <memory>

#include "../core/sys.h"

namespace caisson {

namespace {

constexpr char OPAQUE[] = "trusted.overlay.opaque";
constexpr char DELETED[] = "trusted.overlay.whiteout";
constexpr char HIDES = 'y';         // all below
constexpr char HAS_WHITEOUTS = 'x';  // that are files

// setxattr has no variant with a directory, and O_PATH descriptors refuse fgetxattr; a descriptor's path is one.
std::string path_of(int fd) { return "/proc/self/fd/" + std::to_string(fd); }
std::string path_of(const Place& place) { return path_of(place.directory.get()) + "/" + place.name; }

char mark_of(const std::string& directory) {
  char value = 0;
  return ::getxattr(directory.c_str(), OPAQUE, &value, 1) == 1 ? value : '\0';
}

Result<void> mark(const std::string& path, const char* attribute, char value, const std::string& name) {
  TRY(sys::check(::lsetxattr(path.c_str(), attribute, &value, 1, 0), "setxattr", name));
  return {};
}

bool is_device(const struct stat& info) { return S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0); }

bool has_mark(const std::string& path, const struct stat& info) {
  return S_ISREG(info.st_mode) && info.st_size == 0 && ::lgetxattr(path.c_str(), DELETED, nullptr, 0) >= 0;
}

Result<void> make_file(const Place& place) {
  std::string parent = path_of(place.directory.get()) + "/.";
  char now = mark_of(parent);
  if (now == HIDES) return {};  // whiteouts that are files do not count there, and none is needed
  TRY(sys::openat(place.directory.get(), place.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY(mark(path_of(place), DELETED, HIDES, place.name));
  return now == HAS_WHITEOUTS ? Result<void>() : mark(parent, OPAQUE, HAS_WHITEOUTS, place.name);
}

// In an opaque directory they would be files like any other.
Result<void> remove_files(const Place& place) {
  Fd directory = TRY(sys::openat(place.directory.get(), place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  Fd listed = TRY(sys::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY));
  std::unique_ptr<DIR, int (*)(DIR*)> list(::fdopendir(listed.get()), ::closedir);
  if (!list) return sys::last_failure("fdopendir", place.name);
  listed.release();
  while (const struct dirent* entry = ::readdir(list.get())) {
    struct stat info = TRY(sys::lstatat(directory.get(), entry->d_name));
    if (!has_mark(path_of(directory.get()) + "/" + entry->d_name, info)) continue;
    TRY(sys::unlinkat(directory.get(), entry->d_name, 0));
  }
  return {};
}

}  // namespace

Result<void> set_opaque(const Place& place) {
  std::string path = path_of(place);
  if (mark_of(path) == HAS_WHITEOUTS) TRY(remove_files(place));
  return in_section("whiteout", mark(path, OPAQUE, HIDES, place.name));
}

bool is_opaque(int directory) { return mark_of(path_of(directory)) == HIDES; }

Result<void> make_whiteout(const Place& place) {
  Result<void> made = sys::mknodat(place.directory.get(), place.name, S_IFCHR, makedev(0, 0));
  if (made || made.failure().error != EPERM) return made;
  return in_section("whiteout", make_file(place));
}

bool is_whiteout(const Place& place, const struct stat& info) { return is_device(info) || has_mark(path_of(place), info); }

bool is_whiteout(int fd, const struct stat& info) {
  if (is_device(info)) return true;
  char value = 0;
  return S_ISREG(info.st_mode) && info.st_size == 0 && ::getxattr(path_of(fd).c_str(), DELETED, &value, 1) >= 0;
}

}  // namespace caisson
