// fork(2) of a Node process copies the page tables of its heap (1.2 ms for 60 MB); a child that shares them until execve
// takes 70 µs. glibc's posix_spawn does the same, but can neither close_range nor tell which step failed.
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/sys.h"

namespace caisson::addon {

namespace {

constexpr size_t STACK_BYTES = 64 * 1024;

// Shared with the child, which runs in our memory while the calling thread sleeps.
struct Request {
  const char* file;
  char* const* args;
  char* const* env;
  std::span<const int> fds;
  const char* syscall = nullptr;  // the step that failed
  int error = 0;
};

int failed(Request& request, const char* syscall) {
  request.syscall = syscall;
  request.error = errno;
  return 127;
}

// In the child. Handlers would run in the parent's memory: they go before anything is unblocked.
void reset_signals() {
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// In the child; only async-signal-safe calls, no allocation.
int run_child(void* argument) {
  Request& request = *static_cast<Request*>(argument);
  reset_signals();
  int count = static_cast<int>(request.fds.size());
  // Sources may lie among the targets, even crosswise. Copies above them all cannot.
  int copies[64];
  for (int i = 0; i < count; i++) {
    copies[i] = request.fds[i] < 0 ? -1 : fcntl(request.fds[i], F_DUPFD_CLOEXEC, count);
    if (request.fds[i] >= 0 && copies[i] < 0) return failed(request, "fcntl");
  }
  for (int i = 0; i < count; i++) {
    if (copies[i] < 0) {
      close(i);
    } else if (dup2(copies[i], i) < 0) {
      return failed(request, "dup2");
    }
  }
  if (syscall(SYS_close_range, count, ~0U, 0) < 0) return failed(request, "close_range");
  execve(request.file, request.args, request.env);
  return failed(request, "execve");
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (const std::string& string : strings) list.push_back(const_cast<char*>(string.c_str()));
  list.push_back(nullptr);
  return list;
}

}  // namespace

Result<pid_t> spawn(const std::string& file, const std::vector<std::string>& args, const std::vector<std::string>& env,
                    std::span<const int> fds) {
  if (fds.size() > 64) return Failure{.section = "spawn", .syscall = "execve", .error = E2BIG, .path = file};
  std::vector<char*> argv = pointers(args), envp = pointers(env);
  Request request{.file = file.c_str(), .args = argv.data(), .env = envp.data(), .fds = fds};
  void* stack = mmap(nullptr, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return sys::last_failure("mmap");
  // No handler of ours may run in the child: blocked until it has reset them.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = clone(run_child, static_cast<char*>(stack) + STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, &request);
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  munmap(stack, STACK_BYTES);
  if (pid < 0) return Failure{.section = "spawn", .syscall = "clone", .error = error, .path = file};
  if (request.syscall == nullptr) return pid;
  waitpid(pid, nullptr, 0);
  return Failure{.section = "spawn", .syscall = request.syscall, .error = request.error, .path = file};
}

}  // namespace caisson::addon
