// Root: paths inside a container's root file system. An image and its volumes are hostile: every path is resolved by the
// kernel with RESOLVE_IN_ROOT, magic links are refused, and what comes out is a descriptor, never a path to use again.
#pragma once

#include <fcntl.h>

#include <string>

#include "fd.h"
#include "result.h"

namespace caisson {

// A directory and the name of an entry that may or may not be there.
struct Place {
  Fd directory;
  std::string name;
};

class Root {
 public:
  Root() = default;
  explicit Root(Fd fd) : fd_(std::move(fd)) {}
  int fd() const { return fd_.get(); }

  // resolve: further RESOLVE_* bits.
  Result<Fd> open(const std::string& path, int flags = O_PATH, uint64_t resolve = 0) const;
  // O_PATH descriptor of what is at `path`. If nothing is there, an empty directory (0755) or file (0644) is made, parents
  // included. A symlink into nothing makes what it names, inside the root: images have /etc/resolv.conf -> ../run/….
  Result<Fd> directory(const std::string& path, uint64_t resolve = 0) const;
  Result<Fd> file(const std::string& path) const;
  // The parent directory, made if missing, and the last name of `path`.
  Result<Place> place(const std::string& path, uint64_t resolve = 0) const;

 private:
  Result<Fd> ensure(const std::string& path, bool directory, uint64_t resolve, int links) const;
  Fd fd_;
};

// Opens what is at a relative path below a directory, O_PATH: EXDEV where a symlink or `..` leads out of it.
Result<Fd> open_beneath(int directory, const std::string& path);
// Opens an entry of a directory that we hold, symlinks refused.
Result<Fd> open_entry(int directory, const std::string& name, int flags);

}  // namespace caisson
