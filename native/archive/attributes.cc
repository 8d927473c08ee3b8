#include "attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <optional>

#include "../core/sys.h"

namespace caisson {

namespace {

// setxattr has no variant with a directory; a descriptor's path is one.
std::string path_of(const Place& place) { return "/proc/self/fd/" + std::to_string(place.directory.get()) + "/" + place.name; }

// What an image may set. Not `trusted`, with which it could speak to overlayfs, nor `user.overlay`, with which it could in a
// user namespace; not labels of security modules, which mean something on this machine alone.
bool is_allowed(const TarEntry& entry, const std::string& name) {
  bool file = entry.type == TarType::file, directory = entry.type == TarType::directory;
  if (name == "security.capability") return file;
  if (name.starts_with("user.")) return (file || directory) && !name.starts_with("user.overlay.");
  bool list = name == "system.posix_acl_access" || (name == "system.posix_acl_default" && directory);
  return list && entry.type != TarType::symlink;
}

// Whether it was taken.
Result<bool> set_xattr(const Place& place, const Xattr& xattr) {
  if (xattr.name.find('\0') != std::string::npos) return false;
  if (::lsetxattr(path_of(place).c_str(), xattr.name.c_str(), xattr.value.data(), xattr.value.size(), 0) == 0) return true;
  switch (errno) {
    case ENOTSUP:
    case EPERM:
    case EINVAL:
    case ERANGE:
    case E2BIG:
    case ENOSPC: return false;  // a file system has room for few; a full disk is noticed by the next file
    default: return sys::last_failure("setxattr", place.name);
  }
}

}  // namespace

// Owner before mode and capabilities: chown clears both.
Result<std::vector<std::string>> set_attributes(const Place& place, const TarEntry& entry) {
  int directory = place.directory.get();
  const char* name = place.name.c_str();
  TRY(sys::check(::fchownat(directory, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW), "fchownat", entry.name));
  if (entry.type != TarType::symlink) TRY(sys::check(::fchmodat(directory, name, entry.mode, 0), "fchmodat", entry.name));
  std::vector<std::string> refused;
  for (const Xattr& xattr : entry.xattrs) {
    if (is_allowed(entry, xattr.name) && !TRY(set_xattr(place, xattr))) refused.push_back(xattr.name);
  }
  TRY(set_time(place, entry.mtime));
  return refused;
}

Result<void> set_attributes_guarded(const Place& place, const TarEntry& entry) {
  struct timespec times[2] = {entry.mtime, entry.mtime};
  if (entry.type == TarType::symlink) {
    Fd link = TRY(open_entry(place.directory.get(), place.name, O_PATH));
    struct stat info = TRY(sys::fstat(link.get()));
    if (!S_ISLNK(info.st_mode)) return Failure{.syscall = "fstat", .error = EBUSY, .path = entry.name};
    return sys::fchown(link.get(), entry.uid, entry.gid);
  }
  bool directory = entry.type == TarType::directory;
  Fd fd = TRY(open_entry(place.directory.get(), place.name, O_RDONLY | O_NONBLOCK | O_NOCTTY | (directory ? O_DIRECTORY : 0)));
  struct stat info = TRY(sys::fstat(fd.get()));
  // A hard link could be to anything.
  bool ours = directory || (S_ISREG(info.st_mode) && info.st_nlink == 1);
  if (!ours) return Failure{.syscall = "fstat", .error = EBUSY, .path = entry.name};
  TRY(sys::fchown(fd.get(), entry.uid, entry.gid));
  TRY(sys::fchmod(fd.get(), entry.mode));
  TRY(sys::check(::futimens(fd.get(), times), "futimens", entry.name));
  return {};
}

Result<void> set_time(const Place& place, const struct timespec& mtime) {
  struct timespec times[2] = {mtime, mtime};
  TRY(sys::check(::utimensat(place.directory.get(), place.name.c_str(), times, AT_SYMLINK_NOFOLLOW), "utimensat", place.name));
  return {};
}

Result<void> copy_directory_attributes(int from, const Place& to) {
  struct stat info = TRY(sys::fstat(from));
  TarEntry entry;
  entry.type = TarType::directory;
  entry.name = to.name;
  entry.mode = info.st_mode & 07777;
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  entry.mtime = info.st_mtim;
  std::string path = "/proc/self/fd/" + std::to_string(from);
  std::string names(64 << 10, '\0'), value(64 << 10, '\0');
  ssize_t length = ::listxattr(path.c_str(), names.data(), names.size());
  for (ssize_t at = 0; at < length;) {
    std::string name = names.c_str() + at;
    at += static_cast<ssize_t>(name.size()) + 1;
    ssize_t size = ::getxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (size >= 0) entry.xattrs.push_back(Xattr{name, value.substr(0, static_cast<size_t>(size))});
  }
  TRY(set_attributes(to, entry));
  return {};
}

}  // namespace caisson
