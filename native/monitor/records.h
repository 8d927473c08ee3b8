// What the monitor writes for others to read: the status of the run and the journal (src/state/records.ts).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "../core/fd.h"
#include "../core/launch_plan.h"
#include "../core/protocol.h"
#include "../core/result.h"

namespace caisson {

// `status` in the run directory, replaced as a whole; with the end of the run also `exit` in the state directory.
struct Status {
  RunState state = RunState::building;
  HealthState health = HealthState::none;
  pid_t host_pid = 0;
  uint32_t restarts = 0;   // by the policy
  bool stopped = false;    // a command asked for the end
  std::optional<Failure> failure;  // of the last start, where it was the policy's
  std::string started_at, finished_at;  // RFC 3339; empty if not yet
  Exit exit;
};
const char* name_of(HealthState health);
// Replaces `name` in `directory` as a whole.
Result<void> replace_file(int directory, const std::string& name, std::string_view content);
Result<void> write_status(int directory, const char* name, const Status& status);

// One JSON line for each event, appended with one write(2) each: several monitors write to one file.
class Journal {
 public:
  static Result<Journal> open(const LaunchPlan& plan);
  // `more`: further attributes as JSON members (`"exitCode":"0"`), or empty. A full disk loses the record.
  void record(std::string_view action, std::string_view more = {});

 private:
  Fd file_;
  std::string id_, attributes_;
};

}  // namespace caisson
