// Reads a tree that others change meanwhile, a container's perhaps, and writes it as a tar archive.
#pragma once

#include <string>
#include <vector>

#include "../core/root.h"
#include "../core/result.h"

namespace caisson {

struct PackOptions {
  std::string name;  // of the top entry in the archive; `.`: its content alone
  bool follow = false;  // `path` itself may be a symlink
};

struct Packed {
  // Devices, FIFOs and sockets are not opened, and file systems of the kernel not entered. The first hundred.
  std::vector<std::string> skipped;
  uint64_t skipped_count = 0;
};

Result<Packed> pack(const Root& root, const std::string& path, const PackOptions& options, int output);

}  // namespace caisson
