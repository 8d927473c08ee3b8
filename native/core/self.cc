#include "self.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sys.h"

namespace caisson {

Result<Fd> open_self_read_only() {
  Fd self = TRY(sys::open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE));
  TRY(sys::mount_setattr(self.get(), 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, MS_PRIVATE));
  return self;
}

Failure execute_self(const Fd& self, char* const argv[], char* const envp[]) {
  ::execveat(self.get(), "", argv, envp, AT_EMPTY_PATH);
  return sys::last_failure("execveat", "/proc/self/exe");
}

}  // namespace caisson
