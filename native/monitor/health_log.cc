#include "health_log.h"

#include <fcntl.h>

#include "../core/sys.h"
#include "records.h"

namespace caisson {

namespace {

constexpr size_t ENTRIES = 5;

std::string file_of(uint64_t number) { return "health." + std::to_string(number); }

}  // namespace

void HealthLog::append(int run_directory, const HealthCheck& check, const ProbeResult& result) {
  uint64_t number = result.output.empty() ? 0 : ++last_number_;
  if (number > 0) write_output(run_directory, number, result.output);
  entries_.push_back({result.started, result.ended, result.exit_code, number});
  std::string json = R"({"version":1,"status":")" + std::string(name_of(check.state()));
  json += R"(","failingStreak":)" + std::to_string(check.failing_streak()) + R"(,"log":[)";
  uint64_t leaving = 0;
  if (entries_.size() > ENTRIES) {
    leaving = entries_.front().number;
    entries_.pop_front();
  }
  for (const Entry& entry : entries_) {
    if (&entry != &entries_.front()) json += ',';
    json += R"({"start":")" + entry.started + R"(","end":")" + entry.ended;
    json += R"(","exitCode":)" + std::to_string(entry.exit_code) + R"(,"file":)" + std::to_string(entry.number) + '}';
  }
  (void)replace_file(run_directory, "health", json + "]}\n");
  if (leaving > 0) (void)sys::unlinkat(run_directory, file_of(leaving), 0);
}

void HealthLog::write_output(int run_directory, uint64_t number, std::string_view output) {
  Result<Fd> file = sys::openat(run_directory, file_of(number), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file) (void)sys::write_all(file.value().get(), output.data(), output.size());
}

}  // namespace caisson
