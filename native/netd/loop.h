// The event loop of netd. It takes one event from epoll at a time: what a handler closes can therefore not have another event
// waiting in the same batch, and the kernel's queue keeps the turns of the descriptors fair.
#pragma once

#include <cstdint>

#include "../core/fd.h"
#include "../core/result.h"

namespace caisson {

class Watcher {
 public:
  virtual void ready(uint32_t events) = 0;  // EPOLL*

 protected:
  ~Watcher() = default;
};

class Loop {
 public:
  static Result<Loop> create();
  // Level-triggered. A descriptor has one watcher, which outlives its registration. Closing ends it too, but only where nobody
  // else holds the open file: what comes from the broker, which closes its own copy a moment later, has to be removed first.
  bool add(int fd, uint32_t events, Watcher* watcher);
  void change(int fd, uint32_t events, Watcher* watcher);
  void remove(int fd);
  // Waits for one event and hands it over; at most `timeout_ms` (-1: no limit).
  void run_once(int timeout_ms);

 private:
  explicit Loop(Fd epoll) : epoll_(std::move(epoll)) {}
  Fd epoll_;
};

// CLOCK_MONOTONIC.
uint64_t now_ms();

}  // namespace caisson
