// Thin wrappers, one for each system call: EINTR is handled here once, errno becomes a Failure, descriptors are owned and
// close-on-exec. Names are those of the man pages. A `path` that a Failure shows is the one given here.
#pragma once

#include <linux/openat2.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fd.h"
#include "result.h"

namespace caisson::sys {

// Failure of the call that has just set errno.
Failure last_failure(const char* syscall, std::string_view path = {});
// For calls that have no wrapper: `TRY(check(::listen(fd, 16), "listen"))`. Negative = failed.
Result<int> check(long returned, const char* syscall, std::string_view path = {});
Result<Fd> check_fd(long returned, const char* syscall, std::string_view path = {});

// -- files
Result<Fd> open(const std::string& path, int flags, mode_t mode = 0);
Result<Fd> openat(int dir, const std::string& path, int flags, mode_t mode = 0);
Result<Fd> openat2(int dir, const std::string& path, const struct open_how& how);
Result<struct stat> fstat(int fd, std::string_view path = {});
// Never follows a symlink in the last component.
Result<struct stat> lstatat(int dir, const std::string& path);
Result<void> mkdirat(int dir, const std::string& path, mode_t mode);
// mkdir -p; existing directories are fine.
Result<void> make_directories(const std::string& path, mode_t mode);
Result<void> mknodat(int dir, const std::string& path, mode_t mode, dev_t device);
Result<void> symlinkat(const std::string& content, int dir, const std::string& path);
Result<std::string> readlinkat(int dir, const std::string& path);
// flags: 0 or AT_REMOVEDIR.
Result<void> unlinkat(int dir, const std::string& path, int flags);
// Of an O_PATH descriptor too (AT_EMPTY_PATH).
Result<void> fchown(int fd, uid_t uid, gid_t gid);
Result<void> fchmod(int fd, mode_t mode);
// Up to size bytes; 0 = end of file.
Result<size_t> read(int fd, void* buffer, size_t size);
// All bytes, however many calls it takes (blocking descriptors).
Result<void> write_all(int fd, const void* data, size_t size, std::string_view path = {});
// Everything up to `limit` bytes; more is EFBIG.
Result<std::string> read_file(int dir, const std::string& path, size_t limit);
Result<std::vector<uint8_t>> read_all(int fd, size_t limit);
// Opens O_WRONLY and writes with one write(2), as kernel files want it. No O_CREAT, no O_TRUNC.
Result<void> write_file(int dir, const std::string& path, std::string_view value);

// -- sockets and pipes
struct Pipe {
  Fd read, write;
};
Result<Pipe> pipe(int flags = 0);
struct Pair {
  Fd first, second;
};
// AF_UNIX pair of `type` (SOCK_SEQPACKET, SOCK_STREAM).
Result<Pair> socketpair(int type);
// One message, with at most one descriptor (fd < 0: none). MSG_NOSIGNAL.
Result<void> send_message(int socket, std::span<const uint8_t> data, int fd = -1);
struct Message {
  std::vector<uint8_t> data;  // empty: end of file
  Fd fd;
};
// One message of at most `limit` bytes; a longer one is EMSGSIZE. Descriptors beyond the first are closed.
Result<Message> receive_message(int socket, size_t limit);
Result<Fd> connect_unix(const std::string& path);
Result<void> set_cloexec(int fd, bool on);

// -- mounts
Result<Fd> fsopen(const std::string& type);
Result<void> fsconfig_string(int fs, const std::string& key, const std::string& value);
Result<void> fsconfig_flag(int fs, const std::string& key);
Result<void> fsconfig_create(int fs);
Result<Fd> fsmount(int fs, uint64_t attributes);
Result<Fd> open_tree(int dir, const std::string& path, unsigned flags);
// Mounts `from` (a detached mount) on the place `to` (a descriptor of the mount point).
Result<void> move_mount(int from, int to, std::string_view path);
Result<void> mount_setattr(int fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation, std::string_view path = {});
Result<void> pivot_root(const char* new_root, const char* put_old);
Result<void> umount2(const char* path, int flags);

// -- processes
struct Clone {
  pid_t pid = 0;  // 0 in the child
  Fd pidfd;
};
// clone3 as fork does it, with namespaces. cgroup: CLONE_INTO_CGROUP, or -1.
Result<Clone> clone3(uint64_t flags, int cgroup = -1);
Result<Fd> pidfd_open(pid_t pid);
Result<void> pidfd_send_signal(int pidfd, int signal);
struct Ended {
  int code = 0;    // 128 + signal where one ended it
  int signal = 0;  // or 0
};
// WEXITED of the process behind pidfd; blocks, and reaps it.
Result<Ended> wait_pidfd(int pidfd);
// As wait_pidfd, by pid.
Result<Ended> wait_pid(pid_t pid);
Result<void> setns(int fd, int types);
Result<void> unshare(int flags);
Result<void> prctl(const char* name, int option, unsigned long a = 0, unsigned long b = 0, unsigned long c = 0, unsigned long d = 0);
Result<void> prlimit(pid_t pid, int resource, const struct rlimit64& limit);
Result<void> close_range(unsigned first, unsigned last, unsigned flags);
Result<Fd> signalfd(const sigset_t& set, int flags);
// All signals blocked (true) or none (false).
Result<void> block_signals(bool block);
// Pid of the process in the pid namespace of our /proc: the first number of NSpid in /proc/self/fdinfo.
Result<pid_t> pid_of_pidfd(int pidfd);

}  // namespace caisson::sys
