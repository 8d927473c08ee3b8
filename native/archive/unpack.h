// Writes the entries of an archive into a directory of ours that nobody else touches meanwhile: the root filesystem of an
// image, or one layer of it in the form that overlayfs stacks. Nothing in the archive is trusted: names are resolved by
// the kernel inside that directory, and links lead nowhere outside.
#pragma once

#include <string>
#include <vector>

#include "../core/fd.h"
#include "../core/result.h"
#include "source.h"

namespace caisson {

enum class Form {
  rootfs,  // names of whiteouts are names like any other
  layer,   // `.wh.name` deletes, `.wh..wh..opq` hides what lies below (image-spec layer.md)
  // A copy into a directory that has content and other users: no devices, FIFOs or extended attributes, a directory never
  // takes the place of something else or gives it up, attributes are set through descriptors.
  copy,
};

struct UnpackOptions {
  Form form = Form::rootfs;
  // Unpacked layers below this one, topmost first: whiteouts and parents that the archive does not name depend on them.
  std::vector<std::string> lower;
  // They are not there yet: every whiteout is taken at its word, and settle() sees to the parents.
  bool unsettled = false;
  // Form::copy: owners and set-id bits are kept; otherwise all is the caller's.
  bool owners = true;
};

struct Unpacked {
  uint64_t entries = 0;
  uint64_t bytes = 0;  // of file content
  // What this file system or these privileges could not take: names of device nodes, `name (attribute)`. The first hundred.
  std::vector<std::string> incomplete;
  uint64_t incomplete_count = 0;
  // Of an unsettled layer: parents that it does not name.
  std::vector<std::string> implied;
};

// `root`: a directory, empty unless it is a copy. Owners, modes (setuid too), times, extended attributes, devices and FIFOs are kept. A failure
// for which is_refusal() holds is the archive's fault; what was written stays for the caller to remove.
Result<Unpacked> unpack(Source& source, int root, const UnpackOptions& options);

// Gives parents that a layer does not name what the layers below, topmost first, say of them.
Result<void> settle(int root, const std::vector<std::string>& implied, const std::vector<std::string>& lower);

}  // namespace caisson
