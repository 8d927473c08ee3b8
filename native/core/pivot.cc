#include <sys/mount.h>
#include <unistd.h>

#include "child.h"
#include "sys.h"

namespace caisson {

// pivot_root(".", ".") stacks the old root on the new one, so no directory inside the image is needed for it; detached
// from ".", nothing of the host is left to walk to.
Result<void> enter_root(Child& child) {
  int root = child.start.root.fd();
  TRY(sys::check(::fchdir(root), "fchdir"));
  TRY(sys::pivot_root(".", "."));
  TRY(sys::umount2(".", MNT_DETACH));
  TRY(sys::check(::chdir("/"), "chdir", "/"));
  uint64_t attributes = child.plan.read_only_root ? MOUNT_ATTR_RDONLY : 0;
  uint64_t propagation = child.plan.root_propagation;
  if (attributes == 0 && propagation == 0) return {};
  return sys::mount_setattr(root, 0, attributes, 0, propagation, "/");
}

}  // namespace caisson
