// Where a health check stands, and when the next probe is due. Pure: the supervisor runs the probes (probing.cc).
#pragma once

#include <cstdint>

#include "../core/launch_plan.h"
#include "../core/protocol.h"

namespace caisson {

// Times are ms since the process has started. Until the first success probes come in quick succession, so that whoever
// waits does not wait for an interval; of their failures only as many count as there would be with the interval: nothing
// becomes unhealthy earlier for it.
class HealthCheck {
 public:
  explicit HealthCheck(const Health& plan);

  bool wanted() const { return plan_.probe != ProbeKind::none; }
  HealthState state() const { return state_; }
  uint32_t failing_streak() const { return streak_; }
  // The process has started anew.
  void begin();
  // ms from `now` to the next probe, none being under way.
  int64_t delay(int64_t now) const;
  // The probe that began at `began` has ended.
  void take(bool success, int64_t began);

 private:
  int64_t failure_due() const;

  Health plan_;
  HealthState state_ = HealthState::none;
  uint32_t streak_ = 0;
  uint32_t probes_ = 0;   // since the start
  int64_t counted_ = 0;   // when the last failure that counted began
};

}  // namespace caisson
