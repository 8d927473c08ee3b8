// The first process of a monitor, and the outer pid namespace: the monitor proper is PID 1 of it, so that its death, by
// whatever signal, ends the container at once, also what has changed its uid or left its session. A container in the pid
// namespace of the host or of another container cannot be in it (setns to a namespace that is no descendant is EINVAL): then
// the monitor stays outside too, and if it is killed, its warden ends the container by its cgroup.
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/container.h"
#include "../core/protocol.h"
#include "../core/sys.h"
#include "monitor.h"
#include "supervisor.h"

namespace caisson {

namespace {

constexpr size_t MAX_SPEC_BYTES = 16 << 20;

Result<LaunchPlan> read_plan() {
  Fd file = TRY(sys::openat(monitor_fd::state_directory, "spec", O_RDONLY));
  std::vector<uint8_t> bytes = TRY(sys::read_all(file.get(), MAX_SPEC_BYTES));
  return decode_launch_plan(bytes);
}

// Away from the terminal and the cgroups of whoever ran the command: both can end before the container does.
Result<Fd> leave_caller(const LaunchPlan& plan) {
  setsid();
  umask(0022);
  TRY(sys::check(chdir("/"), "chdir", "/"));
  TRY(sys::block_signals(true));
  int last = monitor_fd::first_listener + static_cast<int>(plan.network.listeners.size());
  for (int fd = monitor_fd::startup; fd < last; fd++) TRY(in_section("plan", 0, sys::set_cloexec(fd, true)));
  return in_section("cgroup", 0, enter_monitor_cgroups(plan));
}

// Before there is a Supervisor. Nothing has been made; what the engine has made, it undoes itself when it reads this.
int report(const Failure& failure) {
  Bytes frame;
  append_failure(frame, failure);
  (void)sys::send_message(monitor_fd::startup, frame);
  return 1;
}

}  // namespace

int monitor_main(int, char**) {
  Result<LaunchPlan> plan = in_section("plan", 0, read_plan());
  if (!plan) return report(plan.failure());
  Result<Fd> left = leave_caller(plan.value());
  if (!left) return report(left.failure());
  uint64_t outer = plan.value().clone_flags & CLONE_NEWPID;
  Result<sys::Clone> monitor = in_section("namespaces", 0, sys::clone3(outer, left.value().get()));
  if (!monitor) return report(monitor.failure());
  if (monitor.value().pid > 0) return 0;  // its parent reaps this process; the monitor belongs to init from here on
  return Supervisor(std::move(plan).value()).run();
}

}  // namespace caisson
