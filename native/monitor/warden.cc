#include "warden.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "../core/protocol.h"
#include "joins.h"

namespace caisson {

namespace {

// In the child. Of the monitor's descriptors it keeps the lock alone: the others say something by being closed.
[[noreturn]] void watch_over(const LaunchPlan& plan, Fd monitor) {
  setsid();
  int last = monitor_fd::alive + 1;
  if (::dup2(monitor.get(), last) < 0) ::_exit(1);
  (void)sys::close_range(0, monitor_fd::alive - 1, 0);
  (void)sys::close_range(static_cast<unsigned>(last) + 1, ~0u, 0);
  struct pollfd ended = {.fd = last, .events = POLLIN, .revents = 0};
  while (::poll(&ended, 1, -1) < 1) {
  }
  end_processes(plan);
  ::_exit(0);
}

}  // namespace

Result<Warden> Warden::start(const LaunchPlan& plan) {
  Fd monitor = TRY(sys::pidfd_open(getpid()));
  sys::Clone cloned = TRY(sys::clone3(0));
  if (cloned.pid == 0) watch_over(plan, std::move(monitor));
  Warden warden;
  warden.pidfd_ = std::move(cloned.pidfd);
  return warden;
}

void Warden::dismiss() {
  if (!pidfd_) return;
  (void)sys::pidfd_send_signal(pidfd_.get(), SIGKILL);
  (void)sys::wait_pidfd(pidfd_.get());
  pidfd_.reset();
}

}  // namespace caisson
