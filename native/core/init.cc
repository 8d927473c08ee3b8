// PID 1 in front of a container's process: passes signals on (the kernel drops those that PID 1 has no handler for), reaps
// whatever is left to it, and ends with the process.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

#include "modes.h"

namespace caisson {

namespace {

// All but those that a mistake of our own raises: they must end us.
sigset_t forwarded_signals() {
  sigset_t set;
  sigfillset(&set);
  for (int number : {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU}) sigdelset(&set, number);
  return set;
}

// A process group of its own in the foreground: a signal from the terminal then reaches the process once, from the kernel.
[[noreturn]] void run_process(char** argv, const sigset_t& inherited) {
  ::setpgid(0, 0);
  ::signal(SIGTTOU, SIG_IGN);
  if (::isatty(STDIN_FILENO)) (void)::tcsetpgrp(STDIN_FILENO, ::getpid());
  ::signal(SIGTTOU, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &inherited, nullptr);
  ::execv(argv[0], argv + 1);
  int error = errno;
  dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(error));
  ::_exit(error == ENOENT ? 127 : 126);
}

// Reaps all that has ended. The code of `process`, if it is among them; otherwise -1.
int reap(pid_t process) {
  int code = -1, status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == process) code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code;
}

}  // namespace

int init_main(char** argv) {
  if (argv[0] == nullptr || argv[1] == nullptr) return 126;
  ::prctl(PR_SET_NAME, "caisson-init");
  sigset_t forwarded = forwarded_signals(), inherited;
  ::sigprocmask(SIG_SETMASK, &forwarded, &inherited);
  pid_t process = ::fork();
  if (process < 0) return 126;
  if (process == 0) run_process(argv, inherited);
  for (;;) {
    siginfo_t info;
    int number = ::sigwaitinfo(&forwarded, &info);
    if (number < 0) continue;
    if (number != SIGCHLD) {
      ::kill(process, number);
      continue;
    }
    int code = reap(process);
    if (code >= 0) return code;
  }
}

}  // namespace caisson
