#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <algorithm>

namespace caisson::sys {

namespace {

template <class Call>
long retry(Call call) {
  for (;;) {
    long returned = call();
    if (returned >= 0 || errno != EINTR) return returned;
  }
}

Result<void> done(long returned, const char* syscall, std::string_view path = {}) {
  if (returned < 0) return last_failure(syscall, path);
  return {};
}

Failure failure_of(int error, const char* syscall, std::string_view path = {}) {
  return Failure{.syscall = syscall, .error = error, .path = std::string(path)};
}

Result<Ended> wait_for(idtype_t type, id_t id) {
  siginfo_t info{};
  long returned = retry([&] { return waitid(type, id, &info, WEXITED); });
  if (returned < 0) return last_failure("waitid");
  if (info.si_code == CLD_EXITED) return Ended{.code = info.si_status};
  return Ended{.code = 128 + info.si_status, .signal = info.si_status};
}

}  // namespace

Failure last_failure(const char* syscall, std::string_view path) { return failure_of(errno, syscall, path); }

Result<int> check(long returned, const char* syscall, std::string_view path) {
  if (returned < 0) return last_failure(syscall, path);
  return static_cast<int>(returned);
}

Result<Fd> check_fd(long returned, const char* syscall, std::string_view path) {
  if (returned < 0) return last_failure(syscall, path);
  return Fd(static_cast<int>(returned));
}

Result<Fd> open(const std::string& path, int flags, mode_t mode) { return openat(AT_FDCWD, path, flags, mode); }

Result<Fd> openat(int dir, const std::string& path, int flags, mode_t mode) {
  return check_fd(retry([&] { return ::openat(dir, path.c_str(), flags | O_CLOEXEC, mode); }), "openat", path);
}

// EAGAIN: something on the way was renamed meanwhile (RESOLVE_IN_ROOT); bounded, so that nobody can hold us here.
Result<Fd> openat2(int dir, const std::string& path, const struct open_how& how) {
  struct open_how copy = how;
  copy.flags |= O_CLOEXEC;
  long returned = -1;
  for (int attempt = 0; attempt < 128; attempt++) {
    returned = retry([&] { return syscall(SYS_openat2, dir, path.c_str(), &copy, sizeof copy); });
    if (returned >= 0 || errno != EAGAIN) break;
  }
  return check_fd(returned, "openat2", path);
}

Result<struct stat> fstat(int fd, std::string_view path) {
  struct stat info;
  if (::fstat(fd, &info) < 0) return last_failure("fstat", path);
  return info;
}

Result<struct stat> lstatat(int dir, const std::string& path) {
  struct stat info;
  if (::fstatat(dir, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) return last_failure("fstatat", path);
  return info;
}

Result<void> mkdirat(int dir, const std::string& path, mode_t mode) {
  return done(::mkdirat(dir, path.c_str(), mode), "mkdirat", path);
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  size_t slash = path.rfind('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0) return last_failure("mkdir", path);
  TRY(make_directories(path.substr(0, slash), mode));
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return last_failure("mkdir", path);
}

Result<void> mknodat(int dir, const std::string& path, mode_t mode, dev_t device) {
  return done(::mknodat(dir, path.c_str(), mode, device), "mknodat", path);
}

Result<void> symlinkat(const std::string& content, int dir, const std::string& path) {
  return done(::symlinkat(content.c_str(), dir, path.c_str()), "symlinkat", path);
}

Result<std::string> readlinkat(int dir, const std::string& path) {
  std::string content(4096, '\0');
  long size = ::readlinkat(dir, path.c_str(), content.data(), content.size());
  if (size < 0) return last_failure("readlinkat", path);
  content.resize(static_cast<size_t>(size));
  return content;
}

Result<void> unlinkat(int dir, const std::string& path, int flags) {
  return done(::unlinkat(dir, path.c_str(), flags), "unlinkat", path);
}

Result<void> fchown(int fd, uid_t uid, gid_t gid) {
  return done(::fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW), "fchownat");
}

// fchmod(2) refuses O_PATH descriptors; their /proc name works, and names exactly this file.
Result<void> fchmod(int fd, mode_t mode) {
  if (::fchmod(fd, mode) == 0) return {};
  if (errno != EBADF) return last_failure("fchmod");
  std::string path = "/proc/self/fd/" + std::to_string(fd);
  return done(::chmod(path.c_str(), mode), "chmod", path);
}

Result<size_t> read(int fd, void* buffer, size_t size) {
  long got = retry([&] { return ::read(fd, buffer, size); });
  if (got < 0) return last_failure("read");
  return static_cast<size_t>(got);
}

Result<void> write_all(int fd, const void* data, size_t size, std::string_view path) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    long put = retry([&] { return ::write(fd, at, size); });
    if (put < 0) return last_failure("write", path);
    at += put;
    size -= static_cast<size_t>(put);
  }
  return {};
}

Result<std::vector<uint8_t>> read_all(int fd, size_t limit) {
  std::vector<uint8_t> content(std::min<size_t>(limit + 1, 16384));
  size_t length = 0;
  for (;;) {
    size_t got = TRY(read(fd, content.data() + length, content.size() - length));
    if (got == 0) break;
    length += got;
    if (length > limit) return failure_of(EFBIG, "read");
    if (length == content.size()) content.resize(std::min(content.size() * 2, limit + 1));
  }
  content.resize(length);
  return content;
}

Result<std::string> read_file(int dir, const std::string& path, size_t limit) {
  Fd fd = TRY(openat(dir, path, O_RDONLY));
  std::vector<uint8_t> content = TRY(read_all(fd.get(), limit));
  return std::string(content.begin(), content.end());
}

Result<void> write_file(int dir, const std::string& path, std::string_view value) {
  Fd fd = TRY(openat(dir, path, O_WRONLY));
  long put = retry([&] { return ::write(fd.get(), value.data(), value.size()); });
  return done(put, "write", path);
}

Result<Pipe> pipe(int flags) {
  int fds[2];
  if (::pipe2(fds, flags | O_CLOEXEC) < 0) return last_failure("pipe2");
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

Result<Pair> socketpair(int type) {
  int fds[2];
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0) return last_failure("socketpair");
  return Pair{Fd(fds[0]), Fd(fds[1])};
}

namespace {
// Room for one descriptor more than we take, so that a second one is seen and closed.
struct alignas(struct cmsghdr) Control {
  char bytes[CMSG_SPACE(2 * sizeof(int))];
};
}  // namespace

Result<void> send_message(int socket, std::span<const uint8_t> data, int fd) {
  struct iovec part = {const_cast<uint8_t*>(data.data()), data.size()};
  struct msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control = {};
  if (fd >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(sizeof fd);
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  return done(retry([&] { return ::sendmsg(socket, &message, MSG_NOSIGNAL); }), "sendmsg");
}

Result<Message> receive_message(int socket, size_t limit) {
  Message received;
  received.data.resize(limit);
  struct iovec part = {received.data.data(), limit};
  Control control = {};
  struct msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  long got = retry([&] { return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC); });
  if (got < 0) return last_failure("recvmsg");
  for (struct cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      Fd owned(fd);
      if (!received.fd) received.fd = std::move(owned);
    }
  }
  if (message.msg_flags & MSG_TRUNC) return failure_of(EMSGSIZE, "recvmsg");
  received.data.resize(static_cast<size_t>(got));
  return received;
}

Result<Fd> connect_unix(const std::string& path) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failure_of(ENAMETOOLONG, "connect", path);
  memcpy(address.sun_path, path.data(), path.size());
  Fd fd = TRY(check_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  auto target = reinterpret_cast<const struct sockaddr*>(&address);
  TRY(done(retry([&] { return ::connect(fd.get(), target, sizeof address); }), "connect", path));
  return fd;
}

Result<void> set_cloexec(int fd, bool on) { return done(::fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0), "fcntl"); }

Result<Fd> fsopen(const std::string& type) { return check_fd(::fsopen(type.c_str(), FSOPEN_CLOEXEC), "fsopen", type); }

Result<void> fsconfig_string(int fs, const std::string& key, const std::string& value) {
  int returned = ::fsconfig(fs, FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0);
  return done(returned, "fsconfig", key + "=" + value);
}

Result<void> fsconfig_flag(int fs, const std::string& key) {
  return done(::fsconfig(fs, FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0), "fsconfig", key);
}

Result<void> fsconfig_create(int fs) {
  return done(::fsconfig(fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), "fsconfig");
}

Result<Fd> fsmount(int fs, uint64_t attributes) {
  return check_fd(::fsmount(fs, FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)), "fsmount");
}

Result<Fd> open_tree(int dir, const std::string& path, unsigned flags) {
  return check_fd(::open_tree(dir, path.c_str(), flags | OPEN_TREE_CLOEXEC), "open_tree", path);
}

Result<void> move_mount(int from, int to, std::string_view path) {
  return done(::move_mount(from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH), "move_mount", path);
}

Result<void> mount_setattr(int fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation,
                           std::string_view path) {
  struct mount_attr attributes = {.attr_set = set, .attr_clr = clear, .propagation = propagation, .userns_fd = 0};
  return done(::mount_setattr(fd, "", flags | AT_EMPTY_PATH, &attributes, sizeof attributes), "mount_setattr", path);
}

Result<void> pivot_root(const char* new_root, const char* put_old) {
  return done(syscall(SYS_pivot_root, new_root, put_old), "pivot_root");
}

Result<void> umount2(const char* path, int flags) { return done(::umount2(path, flags), "umount2", path); }

Result<Clone> clone3(uint64_t flags, int cgroup) {
  int pidfd = -1;
  struct clone_args arguments = {};
  arguments.flags = flags | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0);
  arguments.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  arguments.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD;
  arguments.cgroup = cgroup >= 0 ? static_cast<uint64_t>(cgroup) : 0;
  long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid < 0) return last_failure("clone3");
  Clone made;
  made.pid = static_cast<pid_t>(pid);
  if (pid > 0) made.pidfd.reset(pidfd);
  return made;
}

Result<Fd> pidfd_open(pid_t pid) { return check_fd(syscall(SYS_pidfd_open, pid, 0), "pidfd_open", std::to_string(pid)); }

Result<void> pidfd_send_signal(int pidfd, int signal) {
  return done(syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0), "pidfd_send_signal");
}

Result<Ended> wait_pidfd(int pidfd) { return wait_for(P_PIDFD, static_cast<id_t>(pidfd)); }
Result<Ended> wait_pid(pid_t pid) { return wait_for(P_PID, static_cast<id_t>(pid)); }

Result<void> setns(int fd, int types) { return done(::setns(fd, types), "setns"); }
Result<void> unshare(int flags) { return done(::unshare(flags), "unshare"); }

Result<void> prctl(const char* name, int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
  return done(::prctl(option, a, b, c, d), "prctl", name);
}

Result<void> prlimit(pid_t pid, int resource, const struct rlimit64& limit) {
  return done(::prlimit64(pid, static_cast<__rlimit_resource>(resource), &limit, nullptr), "prlimit64",
              std::to_string(resource));
}

Result<void> close_range(unsigned first, unsigned last, unsigned flags) {
  return done(syscall(SYS_close_range, first, last, flags), "close_range");
}

Result<Fd> signalfd(const sigset_t& set, int flags) {
  return check_fd(::signalfd(-1, &set, flags | SFD_CLOEXEC), "signalfd");
}

Result<void> block_signals(bool block) {
  sigset_t set;
  block ? sigfillset(&set) : sigemptyset(&set);
  return done(::sigprocmask(SIG_SETMASK, &set, nullptr), "sigprocmask");
}

Result<pid_t> pid_of_pidfd(int pidfd) {
  std::string path = "/proc/self/fdinfo/" + std::to_string(pidfd);
  std::string text = TRY(read_file(AT_FDCWD, path, 4096));
  size_t at = text.find("NSpid:");
  if (at == std::string::npos) return failure_of(ESRCH, "read", path);
  return static_cast<pid_t>(strtol(text.c_str() + at + 6, nullptr, 10));
}

}  // namespace caisson::sys
