#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capability_set.h"
#include "child.h"
#include "sys.h"

namespace caisson {

namespace {

constexpr int kMaxCapability = 63;

Result<void> drop_bounding(uint64_t kept) {
  for (unsigned long number = 0; number <= kMaxCapability; number++) {
    if (kept >> number & 1) continue;
    Result<void> dropped = sys::prctl("PR_CAPBSET_DROP", PR_CAPBSET_DROP, number);
    if (!dropped && dropped.failure().error == EINVAL) return {};  // beyond the last one that this kernel knows
    if (!dropped) return dropped;
  }
  return {};
}

Result<void> raise_ambient(uint64_t raised) {
  for (unsigned long number = 0; number <= kMaxCapability; number++) {
    if (raised >> number & 1) TRY(sys::prctl("PR_CAP_AMBIENT_RAISE", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number));
  }
  return {};
}

// The system calls themselves: there is one thread, and the wrappers of the C library signal others.
Result<void> change_ids(const ProcessPlan& process) {
  static_assert(sizeof(gid_t) == sizeof(uint32_t));
  TRY(sys::check(syscall(SYS_setgroups, process.groups.size(), process.groups.data()), "setgroups"));
  TRY(sys::check(syscall(SYS_setresgid, process.gid, process.gid, process.gid), "setresgid"));
  TRY(sys::check(syscall(SYS_setresuid, process.uid, process.uid, process.uid), "setresuid"));
  return {};
}

}  // namespace

Result<void> set_capabilities(const Capabilities& capabilities, uint64_t kept) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct data[2];
  for (int half = 0; half < 2; half++) {
    int shift = 32 * half;
    data[half].effective = static_cast<uint32_t>((capabilities.effective | kept) >> shift);
    data[half].permitted = static_cast<uint32_t>((capabilities.permitted | kept) >> shift);
    data[half].inheritable = static_cast<uint32_t>(capabilities.inheritable >> shift);
  }
  TRY(sys::check(syscall(SYS_capset, &header, data), "capset"));
  return {};
}

// Kernels without keyrings (ENOSYS), and users with too many (200 by default, EDQUOT), go on in the inherited one.
Result<void> join_keyring(Start& start) {
  const std::string& name = start.process.keyring;
  if (name.empty()) return {};
  long serial = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.c_str());
  if (serial < 0 && (errno == ENOSYS || errno == EDQUOT)) return {};
  if (serial < 0) return sys::last_failure("keyctl", name);
  constexpr unsigned long kPossessorAll = 0x3f000000, kUserViewReadSearchLink = 0x001b0000;
  (void)syscall(SYS_keyctl, KEYCTL_SETPERM, serial, kPossessorAll | kUserViewReadSearchLink);
  return {};
}

// Bounding set first (needs SETPCAP), then the ids with permitted capabilities kept, then the sets of the plan. Where the
// seccomp filter needs CAP_SYS_ADMIN to be installed, that one stays until seal().
Result<void> take_identity(Start& start) {
  const ProcessPlan& process = start.process;
  TRY(drop_bounding(process.capabilities.bounding));
  TRY(sys::prctl("PR_SET_KEEPCAPS", PR_SET_KEEPCAPS, 1));
  TRY(change_ids(process));
  TRY(set_capabilities(process.capabilities, capability_to_seal(process)));
  TRY(raise_ambient(process.capabilities.ambient));
  if (process.no_new_privileges) TRY(sys::prctl("PR_SET_NO_NEW_PRIVS", PR_SET_NO_NEW_PRIVS, 1));
  return {};
}

}  // namespace caisson
