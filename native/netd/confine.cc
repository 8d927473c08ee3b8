#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../core/sys.h"

namespace caisson {

namespace {

constexpr uid_t NOBODY = 65534;

}  // namespace

Result<void> drop_privileges() {
  for (int capability = 0; ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; ++capability) {
  }
  TRY(sys::prctl("PR_CAP_AMBIENT", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL));
  TRY(sys::check(::setgroups(0, nullptr), "setgroups"));
  TRY(sys::check(::setresgid(NOBODY, NOBODY, NOBODY), "setresgid"));
  TRY(sys::check(::setresuid(NOBODY, NOBODY, NOBODY), "setresuid"));
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  TRY(sys::check(::syscall(SYS_capset, &header, none), "capset"));
  TRY(sys::prctl("PR_SET_NO_NEW_PRIVS", PR_SET_NO_NEW_PRIVS, 1));
  return sys::prctl("PR_SET_DUMPABLE", PR_SET_DUMPABLE, 0);
}

// After the change of uid, which clears it.
Result<void> die_with(pid_t parent) {
  TRY(sys::prctl("PR_SET_PDEATHSIG", PR_SET_PDEATHSIG, SIGKILL));
  if (::getppid() == parent) return {};
  return Failure{.section = "resolver", .index = 0, .syscall = "getppid", .error = ESRCH, .path = {}};
}

Result<void> filter_system_calls(const std::vector<uint8_t>& filter) {
  if (filter.empty()) return {};
  sock_fprog program = {
      .len = static_cast<unsigned short>(filter.size() / sizeof(sock_filter)),
      .filter = reinterpret_cast<sock_filter*>(const_cast<uint8_t*>(filter.data())),
  };
  return sys::prctl("PR_SET_SECCOMP", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, reinterpret_cast<unsigned long>(&program));
}

}  // namespace caisson
