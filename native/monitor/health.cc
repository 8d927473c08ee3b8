#include "health.h"

#include <algorithm>

namespace caisson {

namespace {

constexpr int64_t FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 5000;
constexpr uint32_t DOUBLINGS = 6;

// At once, then after 100 ms, 200 ms …
int64_t quick_pause(uint32_t probes) {
  if (probes == 0) return 0;
  return std::min(FIRST_PAUSE_MS << std::min(probes - 1, DOUBLINGS), LONGEST_PAUSE_MS);
}

}  // namespace

HealthCheck::HealthCheck(const Health& plan) : plan_(plan) { begin(); }

void HealthCheck::begin() {
  state_ = wanted() ? HealthState::starting : HealthState::none;
  streak_ = probes_ = 0;
  counted_ = 0;
}

// Of a container that has not been healthy yet.
int64_t HealthCheck::failure_due() const {
  return std::max(int64_t{plan_.start_period_ms}, counted_ + int64_t{plan_.interval_ms});
}

int64_t HealthCheck::delay(int64_t now) const {
  int64_t interval = plan_.interval_ms;
  if (state_ != HealthState::starting) return interval;
  int64_t quick = plan_.start_interval_ms > 0 ? int64_t{plan_.start_interval_ms} : quick_pause(probes_);
  int64_t pause = std::min(quick, interval);
  int64_t due = failure_due() - now;
  return due > 0 ? std::min(pause, due) : pause;
}

void HealthCheck::take(bool success, int64_t began) {
  probes_++;
  if (success) {
    state_ = HealthState::healthy;
    streak_ = 0;
    return;
  }
  if (state_ == HealthState::starting) {
    if (began < failure_due()) return;
    counted_ = began;
  }
  streak_++;
  if (streak_ >= plan_.retries) state_ = HealthState::unhealthy;
}

}  // namespace caisson
