#include "restart.h"

#include <algorithm>

namespace caisson {

namespace {

// Docker's.
constexpr int64_t FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 60'000;

}  // namespace

bool RestartRow::wants(uint32_t exit_code) const {
  switch (policy_.policy) {
    case RestartPolicy::no:
      return false;
    case RestartPolicy::always:
    case RestartPolicy::unless_stopped:
      break;
    case RestartPolicy::on_failure:
      if (exit_code == 0) return false;
      break;
  }
  return policy_.maximum_retries == 0 || restarts_ < policy_.maximum_retries;
}

std::optional<int64_t> RestartRow::next(uint32_t exit_code, int64_t ran_ms) {
  if (ran_ms >= int64_t{policy_.window_ms}) restarts_ = 0, pause_ms_ = 0;
  if (!wants(exit_code)) return std::nullopt;
  restarts_++;
  pause_ms_ = pause_ms_ == 0 ? FIRST_PAUSE_MS : std::min(pause_ms_ * 2, LONGEST_PAUSE_MS);
  return policy_.delay_ms > 0 ? int64_t{policy_.delay_ms} : pause_ms_;
}

}  // namespace caisson
