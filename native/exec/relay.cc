#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <vector>

namespace caisson {

namespace {

constexpr size_t kBuffer = 64 * 1024;
constexpr char kEndOfTransmission = 4;  // what ends the input of a terminal

sigset_t forwarded_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH}) sigaddset(&set, number);
  return set;
}

Result<void> set_nonblocking(const Fd& fd) {
  if (!fd) return {};
  int flags = TRY(sys::check(::fcntl(fd.get(), F_GETFL), "fcntl"));
  TRY(sys::check(::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK), "fcntl"));
  return {};
}

// The caller's terminal passes every key on while this lives.
class RawTerminal {
 public:
  explicit RawTerminal(bool wanted) {
    if (!wanted || ::tcgetattr(STDIN_FILENO, &saved_) != 0) return;
    struct termios raw = saved_;
    ::cfmakeraw(&raw);
    active_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
  }
  ~RawTerminal() {
    if (active_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

 private:
  struct termios saved_ = {};
  bool active_ = false;
};

// One direction out: what the process writes, to a descriptor of the caller. False once it has ended. A caller that has
// gone closes the source, so that the process gets its SIGPIPE.
bool copy_out(Fd& from, int to) {
  char buffer[kBuffer];
  Result<size_t> got = sys::read(from.get(), buffer, sizeof buffer);
  if (!got && got.failure().error == EAGAIN) return true;
  // A pty whose last writer has gone says EIO.
  bool open = got && got.value() > 0 && sys::write_all(to, buffer, got.value());
  if (!open) from.reset();
  return open;
}

class Loop {
 public:
  Loop(Relay& relay, Fd signals) : relay_(relay), signals_(std::move(signals)), reading_(relay.interactive) {}

  Result<void> run() {
    while (!ended_) {
      struct pollfd fds[] = {
          {reading_ && pending_.empty() ? STDIN_FILENO : -1, POLLIN, 0},
          {pending_.empty() ? -1 : input(), POLLOUT, 0},
          {relay_.stdout_read.get(), POLLIN, 0},
          {relay_.stderr_read.get(), POLLIN, 0},
          {relay_.terminal.get(), POLLIN, 0},
          {signals_.get(), POLLIN, 0},
          {relay_.process.get(), POLLIN, 0},
      };
      int ready = ::poll(fds, std::size(fds), -1);
      if (ready < 0 && errno != EINTR) return sys::last_failure("poll");
      if (ready > 0) serve(fds);
    }
    drain();
    return {};
  }

 private:
  int input() const { return relay_.terminal ? relay_.terminal.get() : relay_.stdin_write.get(); }

  void serve(const struct pollfd* fds) {
    if (fds[0].revents != 0) read_input();
    if (fds[1].revents != 0) write_input();
    if (fds[2].revents != 0) copy_out(relay_.stdout_read, STDOUT_FILENO);
    if (fds[3].revents != 0) copy_out(relay_.stderr_read, STDERR_FILENO);
    if (fds[4].revents != 0) copy_out(relay_.terminal, STDOUT_FILENO);
    if (fds[5].revents != 0) forward_signal();
    if (fds[6].revents != 0) ended_ = true;
  }

  void read_input() {
    pending_.resize(kBuffer);
    Result<size_t> got = sys::read(STDIN_FILENO, pending_.data(), pending_.size());
    size_t size = got ? got.value() : 0;
    pending_.resize(size);
    if (size > 0) return write_input();
    if (!got && got.failure().error == EAGAIN) return;
    reading_ = false;
    if (relay_.terminal) pending_.assign(1, kEndOfTransmission);
    else relay_.stdin_write.reset();
  }

  // Never blocks: the process may be waiting for us to read first.
  void write_input() {
    ssize_t put = ::write(input(), pending_.data(), pending_.size());
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (put < 0) {
      pending_.clear();
      reading_ = false;
      relay_.stdin_write.reset();
      return;
    }
    pending_.erase(pending_.begin(), pending_.begin() + put);
  }

  void forward_signal() {
    struct signalfd_siginfo info;
    Result<size_t> got = sys::read(signals_.get(), &info, sizeof info);
    if (!got || got.value() != sizeof info) return;
    int number = static_cast<int>(info.ssi_signo);
    if (number == SIGWINCH) return copy_window_size(relay_.terminal.get());
    (void)sys::pidfd_send_signal(relay_.process.get(), number);
  }

  // What it wrote before it ended; a child of it that holds the pipe on must not hold us.
  void drain() {
    struct pollfd fds[] = {{relay_.stdout_read.get(), POLLIN, 0},
                           {relay_.stderr_read.get(), POLLIN, 0},
                           {relay_.terminal.get(), POLLIN, 0}};
    while (::poll(fds, std::size(fds), 0) > 0) {
      if (fds[0].revents != 0 && !copy_out(relay_.stdout_read, STDOUT_FILENO)) fds[0].fd = -1;
      if (fds[1].revents != 0 && !copy_out(relay_.stderr_read, STDERR_FILENO)) fds[1].fd = -1;
      if (fds[2].revents != 0 && !copy_out(relay_.terminal, STDOUT_FILENO)) fds[2].fd = -1;
    }
  }

  Relay& relay_;
  Fd signals_;
  bool reading_;
  bool ended_ = false;
  std::vector<char> pending_;  // read from the caller, not yet taken by the process
};

}  // namespace

Result<void> hold_signals() {
  sigset_t set = forwarded_signals();
  ::signal(SIGPIPE, SIG_IGN);
  TRY(sys::check(::sigprocmask(SIG_BLOCK, &set, nullptr), "sigprocmask"));
  return {};
}

void copy_window_size(int terminal) {
  struct winsize size;
  if (terminal < 0 || ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0) return;
  (void)::ioctl(terminal, TIOCSWINSZ, &size);
}

Result<sys::Ended> run_relay(Relay& relay) {
  for (Fd* fd : {&relay.stdin_write, &relay.stdout_read, &relay.stderr_read, &relay.terminal}) TRY(set_nonblocking(*fd));
  RawTerminal raw(relay.interactive && relay.terminal);
  Loop loop(relay, TRY(sys::signalfd(forwarded_signals(), 0)));
  TRY(loop.run());
  return sys::wait_pidfd(relay.process.get());
}

}  // namespace caisson
