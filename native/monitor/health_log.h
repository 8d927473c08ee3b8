// What the last probes of a health check said, for state/snapshot.ts `readHealth`: times and codes as JSON in `health` of the
// run directory, and what a probe printed, which the container may choose, as it is in `health.<number>` beside it.
#pragma once

#include <deque>
#include <string>

#include "health.h"
#include "probe.h"

namespace caisson {

class HealthLog {
 public:
  void append(int run_directory, const HealthCheck& check, const ProbeResult& result);

 private:
  struct Entry {
    std::string started, ended;
    int exit_code;
    uint64_t number;  // of the file; 0: it printed nothing
  };
  void write_output(int run_directory, uint64_t number, std::string_view output);

  std::deque<Entry> entries_;  // oldest first
  uint64_t last_number_ = 0;
};

}  // namespace caisson
