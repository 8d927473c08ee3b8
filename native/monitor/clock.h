// Time as records and logs show it, and as deadlines need it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace caisson {

// RFC 3339 in UTC with nine digits of the second: always 30 characters, so that text order is time order.
class Stamp {
 public:
  static Stamp now();
  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, 30> text_;
};

// CLOCK_MONOTONIC in ms.
int64_t monotonic_ms();

// Deadlines of the event loop; the number of an epoll_wait(2) timeout.
enum class Timer : uint8_t { grace, idle, resolver, stall, restart, probe, probe_end };
inline constexpr size_t TIMERS = 7;

class Timers {
 public:
  void set(Timer timer, int64_t in_ms) { at_[index(timer)] = monotonic_ms() + in_ms; }
  void set_earlier(Timer timer, int64_t in_ms);
  void clear(Timer timer) { at_[index(timer)] = NEVER; }
  bool pending(Timer timer) const { return at_[index(timer)] != NEVER; }
  // ms until the first one; -1 = none.
  int timeout() const;
  // True once for each deadline that has passed.
  bool take_expired(Timer timer);

 private:
  static constexpr int64_t NEVER = INT64_MAX;
  static size_t index(Timer timer) { return static_cast<size_t>(timer); }
  std::array<int64_t, TIMERS> at_ = {NEVER, NEVER, NEVER, NEVER, NEVER, NEVER, NEVER};
};

}  // namespace caisson
