// Run inside a container: tries what a hostile payload would, one line each: `name: ok` or `name: ERRNO`.
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/sched.h>

namespace {

void report(const char* name, long result) {
  printf("%s: %s\n", name, result >= 0 ? "ok" : strerrorname_np(errno));
}

long clone3_probe() {
  clone_args arguments = {};
  arguments.exit_signal = 17;
  long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) _exit(0);
  return pid;
}

}  // namespace

int main() {
  report("AF_ALG", socket(38, SOCK_SEQPACKET, 0));
  report("AF_VSOCK", socket(40, SOCK_STREAM, 0));
  report("AF_INET", socket(AF_INET, SOCK_STREAM, 0));
  report("AF_PACKET", socket(AF_PACKET, SOCK_RAW, 0));
  char byte = 'x';
  report("TIOCSTI", ioctl(0, TIOCSTI, &byte));
  report("TIOCLINUX", ioctl(0, TIOCLINUX, &byte));
  report("unshare user", unshare(CLONE_NEWUSER));
  report("unshare mount", unshare(CLONE_NEWNS));
  report("clone3", clone3_probe());
  report("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3, 0));
  report("add_key", syscall(SYS_add_key, "user", "n", "v", 1, -2));
  report("bpf", syscall(SYS_bpf, 0, nullptr, 0));
  report("userfaultfd", syscall(SYS_userfaultfd, 0));
  report("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
  report("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
  report("io_uring_setup", syscall(SYS_io_uring_setup, 1, nullptr));
  report("kexec_load", syscall(SYS_kexec_load, 0, 0, nullptr, 0));
  report("init_module", syscall(SYS_init_module, nullptr, 0, ""));
  report("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, nullptr, 0));
  report("perf_event_open", syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0));
  report("x32 getpid", syscall(0x40000000 | SYS_getpid));
  report("personality ADDR_NO_RANDOMIZE", personality(ADDR_NO_RANDOMIZE));
  report("ptrace", ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
  report("setns", syscall(SYS_setns, -1, 0));
  report("mount", mount("none", "/mnt", "tmpfs", 0, nullptr));
  report("future call", syscall(600));
  return 0;
}
