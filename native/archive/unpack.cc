#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include <map>
#include <set>

#include "../core/root.h"
#include "../core/sys.h"
#include "../monitor/remove_tree.h"
#include "attributes.h"
#include "tar_reader.h"
#include "whiteout.h"

namespace caisson {

namespace {

constexpr size_t MAX_INCOMPLETE = 100;
constexpr char WHITEOUT[] = ".wh.";
constexpr char OPAQUE[] = ".wh..wh..opq";
constexpr uint32_t MAX_MAJOR = 0xfff, MAX_MINOR = 0xfffff;  // as the kernel's dev_t

// `./a//b/` is a/b, and so is /a/b. `..` has no honest use in a root filesystem.
Result<std::string> normalised(const std::string& name, std::string_view entry) {
  std::string path;
  for (size_t at = 0; at < name.size();) {
    size_t end = std::min(name.find('/', at), name.size());
    std::string_view step(name.data() + at, end - at);
    if (step == "..") return refused(entry, "has .. in its path");
    if (!step.empty() && step != ".") path.append(path.empty() ? "" : "/").append(step);
    at = end + 1;
  }
  return path;
}

std::string_view parent_of(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view last_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Result<Fd> duplicate(int fd) { return sys::check_fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3), "fcntl"); }

// What the layers below say of a name. Overlayfs merges directories by name and follows no link between layers.
class Lower {
 public:
  static Result<Lower> open(const std::vector<std::string>& layers) {
    Lower lower;
    for (const std::string& layer : layers) lower.roots_.emplace_back(TRY(sys::open(layer, O_PATH | O_DIRECTORY)));
    return lower;
  }

  // What is there, O_PATH; empty: nothing.
  Result<Fd> find(const std::string& path) const {
    for (const Root& root : roots_) {
      Result<Fd> found = root.open(path, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
      if (found && is_whiteout(found.value().get(), TRY(sys::fstat(found.value().get())))) return Fd();
      if (found) return found;
      int error = found.failure().error;
      if (error == ENOTDIR || error == ELOOP) return Fd();  // a file, a link or a whiteout stands in the way
      if (error != ENOENT) return found;
    }
    return Fd();
  }

 private:
  std::vector<Root> roots_;
};

std::string parent_or_root(const std::string& path) {
  std::string parent(parent_of(path));
  return parent.empty() ? "." : parent;
}

// A failure where it is none, or a later entry took its place.
Result<Place> existing_directory(const Root& root, const std::string& path) {
  if (path == ".") return Place{TRY(duplicate(root.fd())), "."};
  Place place{TRY(root.open(parent_or_root(path), O_PATH | O_DIRECTORY)), std::string(last_of(path))};
  struct stat info = TRY(sys::lstatat(place.directory.get(), place.name));
  if (!S_ISDIR(info.st_mode)) return Failure{.syscall = "openat", .error = ENOTDIR, .path = path};
  return place;
}

// What an entry lay in without naming it is as it is below.
template <class Paths>
Result<void> take_from_below(const Root& root, const Paths& implied, const Lower& lower) {
  for (const std::string& path : implied) {
    Fd below = TRY(lower.find(path));
    if (!below) continue;
    struct stat info = TRY(sys::fstat(below.get()));
    if (!S_ISDIR(info.st_mode)) continue;
    Result<Place> place = existing_directory(root, path);
    if (place) TRY(copy_directory_attributes(below.get(), place.value()));
  }
  return {};
}

class Unpacker {
 public:
  Unpacker(Source& source, Root root, Lower lower, const UnpackOptions& options)
      : reader_(source), root_(std::move(root)), lower_(std::move(lower)), form_(options.form), owners_(options.owners), unsettled_(options.unsettled),
        buffer_(form_ == Form::copy ? 64 << 10 : 1 << 20) {}

  Result<Unpacked> run() {
    for (;;) {
      std::optional<TarEntry> entry = TRY(reader_.next());
      if (!entry) break;
      result_.entries++;
      if (form_ == Form::copy) disown(*entry);
      TRY(put(*entry));
    }
    TRY(reader_.drain());
    TRY(finish_directories());
    return std::move(result_);
  }

 private:
  void disown(TarEntry& entry) const {
    entry.xattrs.clear();
    if (owners_) return;
    entry.uid = ::geteuid();
    entry.gid = ::getegid();
    entry.mode &= ~static_cast<mode_t>(S_ISUID | S_ISGID);
  }

  Result<void> put(const TarEntry& entry) {
    std::string path = TRY(normalised(entry.name, entry.name));
    if (path.empty()) return put_root(entry);
    if (form_ == Form::layer && last_of(path).starts_with(WHITEOUT)) return put_whiteout(path, entry);
    Place place = TRY(place_of(path, entry));
    bool opaque = false;
    bool there = TRY(make_room(place, entry, opaque));
    if (!there && !TRY(create(place, entry))) return {};
    if (opaque) TRY(set_opaque(place));
    if (entry.type == TarType::hardlink) return {};
    implied_.erase(path);
    if (form_ == Form::copy) TRY(set_attributes_guarded(place, entry));
    else for (const std::string& name : TRY(set_attributes(place, entry))) leave_out(entry.name + " (" + name + ")");
    if (entry.type == TarType::directory) times_[path] = entry.mtime;
    return {};
  }

  Result<void> put_root(const TarEntry& entry) {
    if (entry.type != TarType::directory) return refused(entry.name, "would replace the root");
    if (form_ == Form::copy) return {};  // it was there before
    root_named_ = true;
    Place place{TRY(duplicate(root_.fd())), "."};
    for (const std::string& name : TRY(set_attributes(place, entry))) leave_out(entry.name + " (" + name + ")");
    times_["."] = entry.mtime;
    return {};
  }

  // A whiteout never touches what its own layer has; over a directory of the same layer it hides the one below.
  Result<void> put_whiteout(const std::string& path, const TarEntry& entry) {
    std::string_view last = last_of(path);
    std::string parent(parent_of(path));
    if (last == OPAQUE) {
      if (!TRY(is_below(parent))) return {};
      if (parent.empty()) return set_opaque(Place{TRY(duplicate(root_.fd())), "."});
      TRY(place_of(path, entry));  // makes the directory
      return set_opaque(TRY(place_of(parent, entry)));
    }
    if (last.starts_with(".wh..wh.")) return {};  // aufs kept its own notes under such names
    std::string name(last.substr(sizeof WHITEOUT - 1));
    if (name.empty() || name == "." || name == "..") return refused(entry.name, "is a whiteout of nothing");
    if (!TRY(is_below(parent.empty() ? name : parent + "/" + name))) return {};
    Place place = TRY(place_of(path, entry));
    place.name = name;
    Result<struct stat> info = sys::lstatat(place.directory.get(), name);
    if (!info && info.failure().error == ENOENT) return make_whiteout(place);
    if (!info) return std::move(info).failure();
    return S_ISDIR(info.value().st_mode) ? set_opaque(place) : Result<void>();
  }

  Result<bool> is_below(const std::string& path) const {
    if (unsettled_) return true;
    Fd found = TRY(lower_.find(path.empty() ? "." : path));
    return static_cast<bool>(found);
  }

  // The directory of `path`, made where it is missing, and its last name. Most entries lie beside the one before.
  Result<Place> place_of(const std::string& path, const TarEntry& entry) {
    std::string parent(parent_of(path));
    if (!parent_ || parent != parent_path_) {
      parent_ = TRY(explained(entry, open_parent(parent)));
      parent_path_ = parent;
    }
    return Place{TRY(duplicate(parent_.get())), std::string(last_of(path))};
  }

  Result<Fd> open_parent(const std::string& parent) {
    if (parent.empty()) return duplicate(root_.fd());
    Result<Fd> found = root_.open(parent, O_PATH | O_DIRECTORY);
    if (found || found.failure().error != ENOENT) return found;
    for (size_t end = 0; end != std::string::npos;) {
      end = parent.find('/', end + 1);
      std::string prefix = parent.substr(0, end);
      Result<Fd> step = root_.open(prefix, O_PATH | O_DIRECTORY);
      if (step) continue;
      if (step.failure().error != ENOENT) return step;
      TRY(root_.directory(prefix));
      implied_.insert(prefix);
    }
    return root_.open(parent, O_PATH | O_DIRECTORY);
  }

  static Result<Fd> explained(const TarEntry& entry, Result<Fd> result) {
    if (result) return result;
    switch (result.failure().error) {
      case ENOTDIR: return refused(entry.name, "lies below something that is no directory");
      case ELOOP: return refused(entry.name, "leads through a loop of links");
      case ENAMETOOLONG: return refused(entry.name, "has a name that no path can have");
      default: return result;
    }
  }

  // A later entry replaces an earlier one; a directory over a directory keeps its content. true: it is there already.
  Result<bool> make_room(const Place& place, const TarEntry& entry, bool& opaque) {
    Result<struct stat> info = sys::lstatat(place.directory.get(), place.name);
    if (!info && info.failure().error == ENOENT) return false;
    if (!info && info.failure().error == ENAMETOOLONG) return refused(entry.name, "has a name that no path can have");
    if (!info) return std::move(info).failure();
    bool directory = S_ISDIR(info.value().st_mode);
    if (directory && entry.type == TarType::directory) return true;
    if (form_ == Form::copy && directory) return refused(entry.name, "cannot replace a directory");
    if (form_ == Form::copy && entry.type == TarType::directory) {
      return refused(entry.name, "is a directory and cannot replace something that is none");
    }
    opaque = entry.type == TarType::directory && form_ == Form::layer && is_whiteout(place, info.value());
    if (directory) {
      TRY(remove_tree("/proc/self/fd/" + std::to_string(place.directory.get()) + "/" + place.name));
      parent_.reset();  // it may have lain in there
    } else {
      TRY(sys::unlinkat(place.directory.get(), place.name, 0));
      if (S_ISLNK(info.value().st_mode)) parent_.reset();
    }
    return false;
  }

  // false: it was left out.
  Result<bool> create(const Place& place, const TarEntry& entry) {
    int directory = place.directory.get();
    switch (entry.type) {
      case TarType::directory: TRY(sys::mkdirat(directory, place.name, 0700)); return true;
      case TarType::symlink:
        if (entry.link.empty()) return refused(entry.name, "is a link to nothing");
        TRY(sys::symlinkat(entry.link, directory, place.name));
        return true;
      case TarType::hardlink: TRY(link(place, entry)); return true;
      case TarType::file: TRY(write_file(place, entry)); return true;
      case TarType::character: return make_node(place, entry, S_IFCHR);
      case TarType::block: return make_node(place, entry, S_IFBLK);
      case TarType::fifo: return make_node(place, entry, S_IFIFO);
    }
    return true;
  }

  Result<bool> make_node(const Place& place, const TarEntry& entry, mode_t type) {
    bool fifo = type == S_IFIFO;
    if (form_ == Form::copy) {
      leave_out(entry.name);
      return false;
    }
    if (entry.major > MAX_MAJOR || entry.minor > MAX_MINOR) return refused(entry.name, "has a device number out of range");
    if (type == S_IFCHR && entry.major == 0 && entry.minor == 0) {
      return refused(entry.name, "is the character device 0:0, which stands for a deletion in a layer");
    }
    dev_t device = fifo ? 0 : makedev(entry.major, entry.minor);
    Result<void> made = sys::mknodat(place.directory.get(), place.name, type, device);
    if (made) return true;
    if (made.failure().error != EPERM) return std::move(made).failure();
    leave_out(entry.name);
    return false;
  }

  Result<void> link(const Place& place, const TarEntry& entry) {
    std::string target = TRY(normalised(entry.link, entry.name));
    std::string shown = "is a link to '" + entry.link + "', which the archive does not hold";
    if (target.empty()) return refused(entry.name, "is a hard link to the root");
    std::string parent(parent_of(target));
    Result<Fd> directory = parent.empty() ? duplicate(root_.fd()) : root_.open(parent, O_PATH | O_DIRECTORY);
    if (!directory) return refused(entry.name, shown);
    Place from{std::move(directory).value(), std::string(last_of(target))};
    Result<struct stat> info = sys::lstatat(from.directory.get(), from.name);
    if (!info || (form_ == Form::layer && is_whiteout(from, info.value()))) return refused(entry.name, shown);
    if (S_ISDIR(info.value().st_mode)) return refused(entry.name, "is a hard link to the directory '" + entry.link + "'");
    int to = place.directory.get();
    TRY(sys::check(::linkat(from.directory.get(), from.name.c_str(), to, place.name.c_str(), 0), "linkat", entry.name));
    return {};
  }

  Result<void> write_file(const Place& place, const TarEntry& entry) {
    Fd file = TRY(sys::openat(place.directory.get(), place.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    result_.bytes += entry.size;
    if (!entry.extents.empty()) return write_extents(file.get(), entry);
    while (size_t got = TRY(reader_.read(buffer_.data(), buffer_.size()))) {
      TRY(sys::write_all(file.get(), buffer_.data(), got, entry.name));
    }
    return {};
  }

  Result<void> write_extents(int file, const TarEntry& entry) {
    TRY(sys::check(::ftruncate(file, static_cast<off_t>(entry.size)), "ftruncate", entry.name));
    for (const Extent& run : entry.extents) {
      TRY(sys::check(::lseek(file, static_cast<off_t>(run.offset), SEEK_SET), "lseek", entry.name));
      for (uint64_t left = run.size; left > 0;) {
        size_t got = TRY(reader_.read(buffer_.data(), static_cast<size_t>(std::min<uint64_t>(left, buffer_.size()))));
        if (got == 0) return refused(entry.name, "has a sparse map that does not fit its content");
        TRY(sys::write_all(file, buffer_.data(), got, entry.name));
        left -= got;
      }
    }
    return {};
  }

  // Last: making a file changes the time of its directory.
  Result<void> finish_directories() {
    parent_.reset();
    if (form_ == Form::layer && !root_named_) implied_.insert(".");
    if (unsettled_) result_.implied.assign(implied_.begin(), implied_.end());
    else TRY(take_from_below(root_, implied_, lower_));
    for (const auto& [path, mtime] : times_) {
      Result<Place> place = existing_directory(root_, path);
      if (place) TRY(set_time(place.value(), mtime));
    }
    return {};
  }

  void leave_out(std::string what) {
    if (result_.incomplete_count++ < MAX_INCOMPLETE) result_.incomplete.push_back(std::move(what));
  }

  TarReader reader_;
  Root root_;
  Lower lower_;
  Form form_;
  bool owners_;
  bool unsettled_;
  bool root_named_ = false;
  std::vector<uint8_t> buffer_;
  Fd parent_;  // of the entry before; empty: unknown
  std::string parent_path_;
  std::map<std::string, struct timespec> times_;  // of directories, by their path
  std::set<std::string> implied_;                 // directories that no entry named (yet)
  Unpacked result_;
};

}  // namespace

Result<Unpacked> unpack(Source& source, int root, const UnpackOptions& options) {
  Lower lower = TRY(Lower::open(options.lower));
  return Unpacker(source, Root(TRY(duplicate(root))), std::move(lower), options).run();
}

Result<void> settle(int root, const std::vector<std::string>& implied, const std::vector<std::string>& lower) {
  return take_from_below(Root(TRY(duplicate(root))), implied, TRY(Lower::open(lower)));
}

}  // namespace caisson
