#include "loop.h"

#include <sys/epoll.h>
#include <time.h>

#include "../core/sys.h"

namespace caisson {

Result<Loop> Loop::create() {
  return Loop(TRY(sys::check_fd(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")));
}

bool Loop::add(int fd, uint32_t events, Watcher* watcher) {
  epoll_event event = {.events = events, .data = {.ptr = watcher}};
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Loop::change(int fd, uint32_t events, Watcher* watcher) {
  epoll_event event = {.events = events, .data = {.ptr = watcher}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Loop::remove(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Loop::run_once(int timeout_ms) {
  epoll_event event;
  if (::epoll_wait(epoll_.get(), &event, 1, timeout_ms) == 1) static_cast<Watcher*>(event.data.ptr)->ready(event.events);
}

uint64_t now_ms() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000ull + now.tv_nsec / 1'000'000;
}

}  // namespace caisson
