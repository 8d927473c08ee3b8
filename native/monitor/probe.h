// One probe of a health check: a child of the monitor, which enters the container (`exec`) or only its network (`probe`).
// What it says is kept, never read.
#pragma once

#include <sys/types.h>

#include <string>

#include "../core/fd.h"
#include "../core/launch_plan.h"
#include "../core/result.h"

namespace caisson {

struct ProbeResult {
  std::string started, ended;  // RFC 3339
  int exit_code = -1;          // -1: timed out, or could not be run
  std::string output;          // the first of it
};

class Probe {
 public:
  bool running() const { return pid_ != 0; }
  pid_t pid() const { return pid_; }
  int output() const { return output_.get(); }
  int64_t started_ms() const { return started_ms_; }

  Result<void> start(const LaunchPlan& plan);
  // What there is of its output; false once that has ended.
  bool read_output();
  // Ends it with all that it has started, and is heard of at once; kill, if it has not gone by then.
  void time_out(uint32_t timeout_ms);
  void kill();
  bool timed_out() const { return timed_out_; }
  // The child has been reaped, with what waitid(2) says of it.
  ProbeResult finish(int code, int status);
  // Without a result: the run it belongs to has ended.
  void give_up();

 private:
  void keep(std::string_view text);
  void clear();

  pid_t pid_ = 0;
  Fd self_;  // our own binary
  Fd pidfd_, output_, frames_;
  int64_t started_ms_ = 0;
  bool timed_out_ = false;
  ProbeResult result_;
};

}  // namespace caisson
