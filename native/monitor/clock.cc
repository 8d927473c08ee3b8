#include "clock.h"

#include <time.h>

#include <algorithm>

namespace caisson {

namespace {

void put_digits(char* end, unsigned value, int digits) {
  for (int i = 0; i < digits; i++, value /= 10) *--end = static_cast<char>('0' + value % 10);
}

}  // namespace

Stamp Stamp::now() {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  struct tm utc;
  gmtime_r(&now.tv_sec, &utc);
  Stamp stamp;
  char* text = stamp.text_.data();
  constexpr std::string_view SHAPE = "0000-00-00T00:00:00.000000000Z";
  std::copy(SHAPE.begin(), SHAPE.end(), text);
  put_digits(text + 4, static_cast<unsigned>(utc.tm_year + 1900), 4);
  put_digits(text + 7, static_cast<unsigned>(utc.tm_mon + 1), 2);
  put_digits(text + 10, static_cast<unsigned>(utc.tm_mday), 2);
  put_digits(text + 13, static_cast<unsigned>(utc.tm_hour), 2);
  put_digits(text + 16, static_cast<unsigned>(utc.tm_min), 2);
  put_digits(text + 19, static_cast<unsigned>(utc.tm_sec), 2);
  put_digits(text + 29, static_cast<unsigned>(now.tv_nsec), 9);
  return stamp;
}

int64_t monotonic_ms() {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void Timers::set_earlier(Timer timer, int64_t in_ms) {
  int64_t& at = at_[index(timer)];
  at = std::min(at, monotonic_ms() + in_ms);
}

int Timers::timeout() const {
  int64_t first = *std::min_element(at_.begin(), at_.end());
  if (first == NEVER) return -1;
  return static_cast<int>(std::clamp<int64_t>(first - monotonic_ms(), 0, 60'000));
}

bool Timers::take_expired(Timer timer) {
  if (!pending(timer) || monotonic_ms() < at_[index(timer)]) return false;
  clear(timer);
  return true;
}

}  // namespace caisson
