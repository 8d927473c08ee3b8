#include "volume.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <string.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "root.h"
#include "sys.h"

namespace caisson {

namespace {

constexpr int kMaxDepth = 256;
constexpr size_t kMaxAttribute = 64 * 1024;

struct Copy {
  dev_t device;                       // of the image's tree: other file systems in it are left out
  int volume;                         // the target's root, for hard links
  std::map<ino_t, std::string> links; // files with several names: path below the volume
};

struct Closer {
  void operator()(DIR* directory) const { closedir(directory); }
};

Result<std::vector<std::string>> names_in(int directory) {
  Fd fd = TRY(sys::openat(directory, ".", O_RDONLY | O_DIRECTORY));
  std::unique_ptr<DIR, Closer> stream(fdopendir(fd.get()));
  if (!stream) return sys::last_failure("fdopendir");
  (void)fd.release();
  std::vector<std::string> names;
  while (const struct dirent* entry = readdir(stream.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != ".." && name != "lost+found") names.push_back(std::move(name));
  }
  return names;
}

// Through descriptors, so that no name is looked at twice. Attributes that the target cannot hold are left out, as cp -a does.
void copy_attributes(int from, int to) {
  std::string names(kMaxAttribute, '\0');
  ssize_t size = flistxattr(from, names.data(), names.size());
  std::string value(kMaxAttribute, '\0');
  for (ssize_t at = 0; at < size; at += static_cast<ssize_t>(strlen(names.c_str() + at)) + 1) {
    const char* name = names.c_str() + at;
    ssize_t length = fgetxattr(from, name, value.data(), value.size());
    if (length >= 0) (void)fsetxattr(to, name, value.data(), static_cast<size_t>(length), 0);
  }
}

// Mode after owner: chown clears set-id bits.
Result<void> copy_metadata(int from, int to, const struct stat& info) {
  TRY(sys::fchown(to, info.st_uid, info.st_gid));
  TRY(sys::fchmod(to, info.st_mode & 07777));
  copy_attributes(from, to);
  struct timespec times[2] = {info.st_atim, info.st_mtim};
  TRY(sys::check(::futimens(to, times), "futimens"));
  return {};
}

Result<void> copy_file(int from_dir, int to_dir, const std::string& name, const struct stat& info) {
  Fd from = TRY(open_entry(from_dir, name, O_RDONLY | O_NONBLOCK));
  Fd to = TRY(sys::openat(to_dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0600));
  for (;;) {
    long copied = ::copy_file_range(from.get(), nullptr, to.get(), nullptr, 1 << 30, 0);
    if (copied == 0) break;
    if (copied > 0) continue;
    if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP) return sys::last_failure("copy_file_range", name);
    while ((copied = ::sendfile(to.get(), from.get(), nullptr, 1 << 30)) > 0) {
    }
    TRY(sys::check(copied, "sendfile", name));
    break;
  }
  return copy_metadata(from.get(), to.get(), info);
}

Result<void> copy_special(int to_dir, const std::string& name, const struct stat& info) {
  TRY(sys::mknodat(to_dir, name, info.st_mode, info.st_rdev));
  TRY(sys::check(::fchownat(to_dir, name.c_str(), info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW), "fchownat", name));
  return {};
}

Result<void> copy_link(int from_dir, int to_dir, const std::string& name, const struct stat& info) {
  std::string content = TRY(sys::readlinkat(from_dir, name));
  TRY(sys::symlinkat(content, to_dir, name));
  TRY(sys::check(::fchownat(to_dir, name.c_str(), info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW), "fchownat", name));
  return {};
}

Result<void> copy_tree(Copy& copy, int from, int to, const std::string& path, int depth);

Result<void> copy_directory(Copy& copy, int from_dir, int to_dir, const std::string& name, const std::string& path, int depth) {
  Fd from = TRY(open_entry(from_dir, name, O_RDONLY | O_DIRECTORY));
  TRY(sys::mkdirat(to_dir, name, 0700));
  Fd to = TRY(open_entry(to_dir, name, O_RDONLY | O_DIRECTORY));
  return copy_tree(copy, from.get(), to.get(), path, depth);
}

Result<void> copy_entry(Copy& copy, int from, int to, const std::string& name, const std::string& path, int depth) {
  struct stat info = TRY(sys::lstatat(from, name));
  if (info.st_dev != copy.device && S_ISDIR(info.st_mode)) return {};
  if (S_ISDIR(info.st_mode)) return copy_directory(copy, from, to, name, path, depth);
  if (S_ISLNK(info.st_mode)) return copy_link(from, to, name, info);
  if (!S_ISREG(info.st_mode)) return S_ISSOCK(info.st_mode) ? Result<void>() : copy_special(to, name, info);
  if (info.st_nlink > 1) {
    auto [known, fresh] = copy.links.try_emplace(info.st_ino, path);
    if (!fresh) {
      TRY(sys::check(::linkat(copy.volume, known->second.c_str(), to, name.c_str(), 0), "linkat", path));
      return {};
    }
  }
  return copy_file(from, to, name, info);
}

// Contents first, then the directory's own metadata: its times would not last otherwise.
Result<void> copy_tree(Copy& copy, int from, int to, const std::string& path, int depth) {
  if (depth == kMaxDepth) return Failure{.syscall = "openat2", .error = ELOOP, .path = path};
  std::vector<std::string> names = TRY(names_in(from));
  for (const std::string& name : names) {
    std::string below = path.empty() ? name : path + "/" + name;
    TRY(copy_entry(copy, from, to, name, below, depth + 1));
  }
  struct stat info = TRY(sys::fstat(from));
  return copy_metadata(from, to, info);
}

}  // namespace

Result<void> fill_volume(int image, int volume) {
  Fd from = TRY(sys::openat(image, ".", O_RDONLY | O_DIRECTORY));
  Fd to = TRY(sys::openat(volume, ".", O_RDONLY | O_DIRECTORY));
  TRY(sys::check(::flock(to.get(), LOCK_EX), "flock"));
  if (!TRY(names_in(to.get())).empty()) return {};
  struct stat info = TRY(sys::fstat(from.get()));
  Copy copy{.device = info.st_dev, .volume = to.get(), .links = {}};
  return copy_tree(copy, from.get(), to.get(), "", 0);
}

}  // namespace caisson
