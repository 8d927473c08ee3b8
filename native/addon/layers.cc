#include "layers.h"

#include <errno.h>
#include <fcntl.h>

#include <string_view>

#include "../archive/whiteout.h"
#include "../core/sys.h"

namespace caisson::addon {

namespace {

constexpr int MAX_SYMLINKS = 40;  // as the kernel

// One directory of the overlay: the same directory in each layer that has it, topmost first.
using Merged = std::vector<Fd>;

Failure missing(const std::string& path, int error = ENOENT) {
  return Failure{.syscall = "openat", .error = error, .path = path};
}

class Walk {
 public:
  static Result<Walk> at_root(std::span<const std::string> layers) {
    Walk walk;
    walk.parents_.emplace_back();
    for (const std::string& layer : layers) {
      walk.parents_.back().push_back(TRY(sys::open(layer, O_PATH | O_DIRECTORY)));
    }
    return walk;
  }

  // Takes the first component off `rest`. An Fd: the path ends in this regular file. None: go on.
  Result<Fd> step(std::string& rest) {
    std::string name = take_component(rest);
    if (name.empty() || name == ".") return Fd();
    if (name == "..") {
      if (parents_.size() > 1) parents_.pop_back();
      return Fd();
    }
    Merged found;
    for (const Fd& directory : parents_.back()) {
      Result<struct stat> info = sys::lstatat(directory.get(), name);
      if (!info && info.failure().error == ENOENT) continue;
      if (!info) return std::move(info).failure();
      if (!S_ISDIR(info.value().st_mode)) {
        if (!found.empty()) break;
        Fd leaf = TRY(sys::openat(directory.get(), name, O_PATH | O_NOFOLLOW));
        if (is_whiteout(leaf.get(), info.value())) break;
        return enter_leaf(directory.get(), name, info.value(), rest);
      }
      found.push_back(TRY(sys::openat(directory.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW)));
      if (is_opaque(found.back().get())) break;
    }
    if (found.empty()) return missing(name);
    parents_.push_back(std::move(found));
    return Fd();
  }

 private:
  static std::string take_component(std::string& rest) {
    size_t start = rest.find_first_not_of('/');
    if (start == std::string::npos) start = rest.size();
    size_t end = std::min(rest.find('/', start), rest.size());
    std::string name = rest.substr(start, end - start);
    rest.erase(0, end);
    return name;
  }

  Result<Fd> enter_leaf(int directory, const std::string& name, const struct stat& info, std::string& rest) {
    if (S_ISLNK(info.st_mode)) {
      if (++symlinks_ > MAX_SYMLINKS) return missing(name, ELOOP);
      std::string target = TRY(sys::readlinkat(directory, name));
      if (target.starts_with('/')) parents_.resize(1);
      rest = target + rest;
      return Fd();
    }
    if (!S_ISREG(info.st_mode) || rest.find_first_not_of('/') != std::string::npos) return missing(name, ENOTDIR);
    return sys::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  std::vector<Merged> parents_;  // from the root down to where the walk is
  int symlinks_ = 0;
};

}  // namespace

Result<Fd> open_in_layers(std::span<const std::string> layers, const std::string& path) {
  Walk walk = TRY(Walk::at_root(layers));
  std::string rest = path;
  while (!rest.empty()) {
    Fd file = TRY(walk.step(rest));
    if (file) return file;
  }
  return missing(path, EISDIR);
}

}  // namespace caisson::addon
