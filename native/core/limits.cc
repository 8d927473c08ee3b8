#include <sched.h>
#include <signal.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "child.h"
#include "sys.h"

namespace caisson {

Result<void> set_oom_score(const ProcessPlan& process) {
  if (!process.set_oom_score_adj) return {};
  return sys::write_file(AT_FDCWD, "/proc/self/oom_score_adj", std::to_string(process.oom_score_adj));
}

// By the parent, at the barrier: the child needs its descriptors and memory until there, and in a user namespace only the
// parent may raise a hard limit.
Result<void> set_limits(pid_t pid, const ProcessPlan& process) {
  for (size_t i = 0; i < process.rlimits.size(); i++) {
    const Rlimit& limit = process.rlimits[i];
    struct rlimit64 value = {.rlim_cur = limit.soft, .rlim_max = limit.hard};
    TRY(in_section("limits", at_item(i, sys::prlimit(pid, static_cast<int>(limit.resource), value))));
  }
  return {};
}

// What a process inherits and must not: ignored signals (Node ignores SIGPIPE), the signal mask, the CPUs of whoever ran
// the command, the umask. The kernel cuts the affinity down to the cpuset.
Result<void> reset_inherited(Start& start) {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; number++) (void)::sigaction(number, &action, nullptr);
  TRY(sys::block_signals(false));
  uint8_t every[1024];
  memset(every, 0xff, sizeof every);
  (void)::sched_setaffinity(0, sizeof every, reinterpret_cast<const cpu_set_t*>(every));
  ::umask(start.process.umask & 0777);
  return {};
}

}  // namespace caisson
