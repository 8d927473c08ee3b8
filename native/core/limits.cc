#include <sched.h>
#include <signal.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "child.h"
#include "sys.h"

namespace caisson {

Result<void> set_oom_score(const ProcessPlan& process) {
  if (!process.set_oom_score_adj) return {};
  return sys::write_file(AT_FDCWD, "/proc/self/oom_score_adj", std::to_string(process.oom_score_adj));
}

namespace {

Result<void> set_each(pid_t pid, const ProcessPlan& process, bool tolerant) {
  for (size_t i = 0; i < process.rlimits.size(); i++) {
    const Rlimit& limit = process.rlimits[i];
    struct rlimit64 value = {.rlim_cur = limit.soft, .rlim_max = limit.hard};
    Result<void> set = sys::prlimit(pid, static_cast<int>(limit.resource), value);
    if (!set && !(tolerant && set.failure().error == EPERM)) return in_section("limits", at_item(i, std::move(set)));
  }
  return {};
}

}  // namespace

// By the parent, at the barrier: in a user namespace only it may raise a hard limit. Without CAP_SYS_RESOURCE it may do
// nothing to a process of another uid: what it leaves undone the process does itself.
Result<void> set_limits(pid_t pid, const ProcessPlan& process) { return set_each(pid, process, true); }

// By the process, behind the barrier: until there it needs its descriptors and memory.
Result<void> take_limits(const Start& start) { return set_each(0, start.process, false); }

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
