#include "root.h"

#include <errno.h>

#include "sys.h"

namespace caisson {

namespace {

constexpr int kMaxLinks = 40;  // as the kernel's MAXSYMLINKS

struct Split {
  std::string parent, name;
};

// "/a/b//" -> "/a", "b"; the root itself has no name.
Split split(const std::string& path) {
  size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return {"/", ""};
  size_t slash = path.rfind('/', end);
  if (slash == std::string::npos) return {"/", path.substr(0, end + 1)};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1, end - slash)};
}

Result<void> make_file(int directory, const std::string& name) {
  Result<Fd> made = sys::openat(directory, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0644);
  if (!made) return std::move(made).failure();
  return {};
}

template <class T>
Result<T> with_path(const std::string& path, Result<T> result) {
  if (!result) result.failure().path = path;
  return result;
}

}  // namespace

Result<Fd> open_entry(int directory, const std::string& name, int flags) {
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(flags | O_NOFOLLOW);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return sys::openat2(directory, name, how);
}

Result<Fd> open_beneath(int directory, const std::string& path) {
  struct open_how how = {};
  how.flags = O_PATH;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return sys::openat2(directory, path, how);
}

Result<Fd> Root::open(const std::string& path, int flags, uint64_t resolve) const {
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve;
  return sys::openat2(fd_.get(), path, how);
}

Result<Fd> Root::directory(const std::string& path, uint64_t resolve) const {
  return with_path(path, ensure(path, true, resolve, 0));
}

Result<Fd> Root::file(const std::string& path) const { return with_path(path, ensure(path, false, 0, 0)); }

Result<Place> Root::place(const std::string& path, uint64_t resolve) const {
  Split parts = split(path);
  if (parts.name.empty()) return Failure{.syscall = "openat2", .error = EINVAL, .path = path};
  Fd parent = TRY(ensure(parts.parent, true, resolve, 0));
  return Place{std::move(parent), std::move(parts.name)};
}

Result<Fd> Root::ensure(const std::string& path, bool directory, uint64_t resolve, int links) const {
  Result<Fd> found = open(path, directory ? O_PATH | O_DIRECTORY : O_PATH, resolve);
  if (found || found.failure().error != ENOENT) return found;
  Split parts = split(path);
  if (parts.name.empty()) return found;
  if (links == kMaxLinks) return Failure{.syscall = "openat2", .error = ELOOP, .path = path};
  Fd parent = TRY(ensure(parts.parent, true, resolve, links));
  Result<void> made = directory ? sys::mkdirat(parent.get(), parts.name, 0755) : make_file(parent.get(), parts.name);
  if (made) return open_entry(parent.get(), parts.name, O_PATH);
  if (made.failure().error != EEXIST) return std::move(made).failure();
  Result<std::string> link = sys::readlinkat(parent.get(), parts.name);
  if (!link) return open(path, O_PATH, resolve);  // somebody made it meanwhile
  std::string target = std::move(link).value();
  if (!target.starts_with('/')) target = parts.parent + "/" + target;
  return ensure(target, directory, resolve, links + 1);
}

}  // namespace caisson
