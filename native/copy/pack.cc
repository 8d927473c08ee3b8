#include "pack.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <map>
#include <memory>

#include "../archive/tar_writer.h"
#include "../core/sys.h"

namespace caisson {

namespace {

constexpr int MAX_DEPTH = 400;  // a descriptor each
constexpr size_t MAX_SKIPPED = 100, MAX_LINKS = 1 << 20;
constexpr int READ = O_RDONLY | O_NONBLOCK | O_NOCTTY;

struct Closer {
  void operator()(DIR* directory) const { closedir(directory); }
};

Failure changed(const std::string& name) { return Failure{.syscall = "fstat", .error = EBUSY, .path = name}; }

// They say what this machine is like, not what the container has.
Result<bool> is_kernels(int directory) {
  struct statfs info;
  TRY(sys::check(::fstatfs(directory, &info), "fstatfs"));
  switch (static_cast<unsigned long>(info.f_type)) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC: return true;
    default: return false;
  }
}

TarEntry entry_of(const std::string& name, const struct stat& info, TarType type) {
  TarEntry entry;
  entry.type = type;
  entry.name = name;
  entry.mode = info.st_mode & 07777;
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  entry.mtime = info.st_mtim;
  return entry;
}

class Packer {
 public:
  explicit Packer(int output) : writer_(output), buffer_(64 << 10, '\0') {}

  Result<Packed> run(const Root& root, const std::string& path, const PackOptions& options) {
    int flags = options.follow ? 0 : O_NOFOLLOW;
    Fd top = TRY(root.open(path, O_PATH | flags));
    struct stat info = TRY(sys::fstat(top.get()));
    if (S_ISLNK(info.st_mode)) {
      TRY(put_link(options.name, info, TRY(sys::readlinkat(top.get(), ""))));
    } else if (S_ISDIR(info.st_mode)) {
      TRY(put_directory(TRY(sys::openat(top.get(), ".", O_RDONLY | O_DIRECTORY)), options.name, 0));
    } else if (S_ISREG(info.st_mode)) {
      TRY(put_file(TRY(root.open(path, READ | flags)), options.name));
    } else {
      return Failure{.syscall = "open", .error = EOPNOTSUPP, .path = path};
    }
    TRY(writer_.finish());
    return std::move(packed_);
  }

 private:
  Result<void> put_link(const std::string& name, const struct stat& info, std::string target) {
    TarEntry entry = entry_of(name, info, TarType::symlink);
    entry.link = std::move(target);
    return writer_.begin(entry);
  }

  // As long as it was when it was opened: a file that grows is cut, one that shrinks goes on with zeros.
  Result<void> put_file(const Fd& file, const std::string& name) {
    struct stat info = TRY(sys::fstat(file.get()));
    if (!S_ISREG(info.st_mode)) return changed(name);
    TarEntry entry = entry_of(name, info, TarType::file);
    if (info.st_nlink > 1 && links_.size() < MAX_LINKS) {
      auto [known, fresh] = links_.try_emplace({info.st_dev, info.st_ino}, name);
      if (!fresh) {
        entry.type = TarType::hardlink;
        entry.link = known->second;
        return writer_.begin(entry);
      }
    }
    entry.size = static_cast<uint64_t>(info.st_size);
    TRY(writer_.begin(entry));
    bool ended = false;
    for (uint64_t left = entry.size; left > 0;) {
      size_t part = static_cast<size_t>(std::min<uint64_t>(left, buffer_.size()));
      size_t got = ended ? 0 : TRY(sys::read(file.get(), buffer_.data(), part));
      if (got == 0) {
        ended = true;
        got = part;
        std::fill_n(buffer_.begin(), part, '\0');
      }
      TRY(writer_.content({buffer_.data(), got}));
      left -= got;
    }
    return writer_.end();
  }

  Result<void> put_directory(Fd directory, const std::string& name, int depth) {
    if (depth == MAX_DEPTH) return Failure{.syscall = "openat2", .error = ENAMETOOLONG, .path = name};
    struct stat info = TRY(sys::fstat(directory.get()));
    TRY(writer_.begin(entry_of(name, info, TarType::directory)));
    if (depth > 0 && TRY(is_kernels(directory.get()))) {
      skip(name);
      return {};
    }
    int fd = directory.get();
    std::unique_ptr<DIR, Closer> stream(fdopendir(fd));
    if (!stream) return sys::last_failure("fdopendir", name);
    (void)directory.release();
    for (;;) {
      errno = 0;
      const struct dirent* item = readdir(stream.get());
      if (item == nullptr) return errno == 0 ? Result<void>() : sys::last_failure("readdir", name);
      std::string child = item->d_name;
      if (child != "." && child != "..") TRY(put_child(fd, child, name + "/" + child, depth));
    }
  }

  // What has gone meanwhile is left out.
  Result<void> put_child(int directory, const std::string& child, const std::string& name, int depth) {
    Result<struct stat> found = sys::lstatat(directory, child);
    if (!found) return found.failure().error == ENOENT ? Result<void>() : std::move(found).failure();
    mode_t mode = found.value().st_mode;
    if (S_ISLNK(mode)) {
      Result<std::string> target = sys::readlinkat(directory, child);
      if (target) return put_link(name, found.value(), std::move(target).value());
      return target.failure().error == ENOENT || target.failure().error == EINVAL ? Result<void>() : std::move(target).failure();
    }
    if (!S_ISDIR(mode) && !S_ISREG(mode)) {
      skip(name);
      return {};
    }
    Result<Fd> opened = open_entry(directory, child, READ | (S_ISDIR(mode) ? O_DIRECTORY : 0));
    if (!opened && opened.failure().error == ENOENT) return {};
    if (!opened) {
      opened.failure().path = name;
      return std::move(opened).failure();
    }
    return S_ISDIR(mode) ? put_directory(std::move(opened).value(), name, depth + 1) : put_file(opened.value(), name);
  }

  void skip(const std::string& name) {
    if (packed_.skipped_count++ < MAX_SKIPPED) packed_.skipped.push_back(name);
  }

  TarWriter writer_;
  std::string buffer_;
  std::map<std::pair<dev_t, ino_t>, std::string> links_;
  Packed packed_;
};

}  // namespace

Result<Packed> pack(const Root& root, const std::string& path, const PackOptions& options, int output) {
  return Packer(output).run(root, path, options);
}

}  // namespace caisson
