// Whether the restart policy starts a process again, and after what pause. Pure: the supervisor acts on it.
#pragma once

#include <cstdint>
#include <optional>

#include "../core/launch_plan.h"

namespace caisson {

class RestartRow {
 public:
  explicit RestartRow(const Restart& policy) : policy_(policy) {}

  // A run has ended with `exit_code` after `ran_ms`. The pause in ms before the next one; none: it was the last.
  std::optional<int64_t> next(uint32_t exit_code, int64_t ran_ms);

 private:
  bool wants(uint32_t exit_code) const;

  Restart policy_;
  uint32_t restarts_ = 0;  // in a row
  int64_t pause_ms_ = 0;
};

}  // namespace caisson
