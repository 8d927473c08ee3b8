#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mount.h>

#include "child.h"
#include "sys.h"

namespace caisson {

// Nothing that is mounted from here on may propagate to the host, so this comes before the first mount. The bind sources
// are detached copies already: they keep their peers, for those binds that ask for propagation.
// The cgroup namespace is unshared here and not in clone3: its root is the cgroup that the process is in at that moment.
Result<void> leave_host_mounts(Child& child) {
  if (child.plan.clone_flags & CLONE_NEWCGROUP) TRY(sys::unshare(CLONE_NEWCGROUP));
  Fd root = TRY(sys::open("/", O_PATH));
  return sys::mount_setattr(root.get(), AT_RECURSIVE, 0, 0, MS_PRIVATE, "/");
}

}  // namespace caisson
