// In front of a process that is to end with all that it starts. A probe may start whatever it likes, in sessions and groups
// of its own; as a subreaper this process becomes the parent of all that its own children leave, and nothing of it reaches the
// container's PID 1, which may never reap.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "child.h"
#include "sys.h"

namespace caisson {

namespace {

// Bounds of ending what does not want to end: a fork bomb, or a set-user-ID program that we may not signal.
constexpr int ROUNDS = 100;
constexpr struct timespec NAP = {.tv_sec = 0, .tv_nsec = 10'000'000};

sigset_t awaited_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGCHLD, SIGTERM}) sigaddset(&set, number);
  return set;
}

// Parent of a process: the second field behind the name, which may hold anything.
pid_t parent_of(const std::string& pid) {
  Result<std::string> stat = sys::read_file(AT_FDCWD, "/proc/" + pid + "/stat", 4096);
  if (!stat) return -1;
  size_t name_end = stat.value().rfind(')');
  if (name_end == std::string::npos || name_end + 4 > stat.value().size()) return -1;
  return static_cast<pid_t>(atoi(stat.value().c_str() + name_end + 4));
}

void kill_children() {
  std::unique_ptr<DIR, int (*)(DIR*)> processes(::opendir("/proc"), ::closedir);
  if (!processes) return;
  while (const struct dirent* entry = ::readdir(processes.get())) {
    pid_t pid = static_cast<pid_t>(atoi(entry->d_name));
    if (pid > 1 && parent_of(entry->d_name) == ::getpid()) ::kill(pid, SIGKILL);
  }
}

// Each round ends our children, whose own become ours.
void end_children(const sigset_t& awaited) {
  for (int round = 0; round < ROUNDS; round++) {
    pid_t reaped;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (reaped < 0) return;
    kill_children();
    (void)::sigtimedwait(&awaited, nullptr, &NAP);
  }
}

// Reaps what has ended. The code of `program`, if it is among it; otherwise -1.
int reap(pid_t program) {
  int code = -1, status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == program) code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code;
}

}  // namespace

void stand_in_front(Start& start) {
  sigset_t awaited = awaited_signals(), inherited;
  ::sigprocmask(SIG_BLOCK, &awaited, &inherited);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pid_t program = ::fork();
  if (program == 0) {
    ::sigprocmask(SIG_SETMASK, &inherited, nullptr);
    return;
  }
  (void)start.channel.take();  // the program alone says that it runs, by closing it, or why it does not
  ::prctl(PR_SET_NAME, "caisson-probe");
  int code = program < 0 ? 126 : -1;
  while (code < 0) {
    int number = ::sigwaitinfo(&awaited, nullptr);
    if (number == SIGTERM) code = 128 + SIGTERM;
    if (number == SIGCHLD) code = reap(program);
  }
  end_children(awaited);
  ::_exit(code);
}

}  // namespace caisson
