#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "child.h"
#include "sys.h"

namespace caisson {

namespace {

// The multiplexer of a devpts is inode 2, device 5:2: nothing else is taken for it (CVE-2025-52565).
Result<Fd> open_multiplexer(const Root& root) {
  const char* path = "/dev/pts/ptmx";
  Fd place = TRY(root.open(path, O_PATH));
  struct statfs fs;
  TRY(sys::check(::fstatfs(place.get(), &fs), "fstatfs", path));
  struct stat info = TRY(sys::fstat(place.get(), path));
  if (fs.f_type != DEVPTS_SUPER_MAGIC || info.st_ino != 2 || info.st_rdev != makedev(5, 2)) {
    return Failure{.syscall = "openat2", .error = ENODEV, .path = path};
  }
  Fd master = TRY(root.open(path, O_RDWR | O_NOCTTY));
  struct stat opened = TRY(sys::fstat(master.get(), path));
  if (opened.st_dev != info.st_dev || opened.st_ino != info.st_ino) {
    return Failure{.syscall = "openat2", .error = ENODEV, .path = path};
  }
  return master;
}

Result<void> move_to(Fd& fd, int number) {
  TRY(sys::check(::dup2(fd.get(), number), "dup2"));
  fd.reset();
  return {};
}

// /dev/null of the container: a descriptor of the host's would let the process see the host's inode.
Result<Fd> open_null(const Root& root) {
  Fd null = TRY(root.open("/dev/null", O_RDWR));
  struct stat info = TRY(sys::fstat(null.get(), "/dev/null"));
  if (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 3)) {
    return Failure{.syscall = "openat2", .error = ENODEV, .path = "/dev/null"};
  }
  return null;
}

}  // namespace

Result<void> open_terminal(Start& start) {
  const ProcessPlan& process = start.process;
  if (!process.tty) return {};
  Fd master = TRY(open_multiplexer(start.root));
  int unlocked = 0;
  TRY(sys::check(::ioctl(master.get(), TIOCSPTLCK, &unlocked), "ioctl", "TIOCSPTLCK"));
  start.terminal = TRY(sys::check_fd(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC), "ioctl", "TIOCGPTPEER"));
  if (process.rows > 0 && process.columns > 0) {
    struct winsize size = {};
    size.ws_row = static_cast<unsigned short>(process.rows);
    size.ws_col = static_cast<unsigned short>(process.columns);
    TRY(sys::check(::ioctl(master.get(), TIOCSWINSZ, &size), "ioctl", "TIOCSWINSZ"));
  }
  TRY(sys::check(::fchown(start.terminal.get(), process.uid, static_cast<gid_t>(-1)), "fchown", "/dev/pts"));
  return start.channel.send(StartStep::terminal, master.get());
}

// /dev/console is a bind of that very terminal, by descriptor.
Result<void> make_console(Child& child) {
  if (!child.start.terminal) return {};
  Fd target = TRY(child.start.root.file("/dev/console"));
  Result<Fd> tree = sys::open_tree(child.start.terminal.get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
  if (!tree) return std::move(tree).failure();
  return sys::move_mount(tree.value().get(), target.get(), "/dev/console");
}

// A session of its own; with a terminal, that becomes the controlling one and all three of stdio.
Result<void> take_stdio(Start& start) {
  TRY(sys::check(::setsid(), "setsid"));
  Stdio& stdio = start.stdio;
  if (start.terminal) {
    TRY(sys::check(::ioctl(start.terminal.get(), TIOCSCTTY, 0), "ioctl", "TIOCSCTTY"));
    for (int fd = 0; fd <= 2; fd++) TRY(sys::check(::dup2(start.terminal.get(), fd), "dup2"));
    start.terminal.reset();
    return {};
  }
  if (!stdio.in) stdio.in = TRY(open_null(start.root));
  TRY(move_to(stdio.in, 0));
  TRY(move_to(stdio.out, 1));
  return move_to(stdio.err, 2);
}

}  // namespace caisson
