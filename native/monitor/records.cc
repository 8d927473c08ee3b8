#include "records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "../core/json.h"
#include "../core/sys.h"
#include "clock.h"

namespace caisson {

namespace {

const char* name_of(RunState state) {
  switch (state) {
    case RunState::building:
    case RunState::created:
      return "created";
    case RunState::running:
      return "running";
    case RunState::exited:
      return "exited";
    case RunState::restarting:
      return "restarting";
    case RunState::paused:
      return "paused";
  }
  return "";
}

std::string json_of(const Status& status) {
  std::string json = R"({"version":1,"state":")";
  json.append(name_of(status.state)) += R"(","pid":)" + std::to_string(status.host_pid);
  json += R"(,"startedAt":")" + status.started_at + R"(","finishedAt":")" + status.finished_at;
  json += R"(","exitCode":)" + std::to_string(status.exit.code) + R"(,"signal":)" + std::to_string(status.exit.signal);
  json.append(R"(,"oomKilled":)").append(status.exit.oom_killed ? "true" : "false");
  json += R"(,"restarts":)" + std::to_string(status.restarts) + R"(,"health":")" + name_of(status.health);
  json.append(R"(","stopped":)").append(status.stopped ? "true" : "false");
  return json += R"(,"failure":)" + (status.failure ? json_of(*status.failure) : "null") + "}\n";
}

}  // namespace

const char* name_of(HealthState health) {
  switch (health) {
    case HealthState::none:
      return "none";
    case HealthState::starting:
      return "starting";
    case HealthState::healthy:
      return "healthy";
    case HealthState::unhealthy:
      return "unhealthy";
  }
  return "";
}

Result<void> replace_file(int directory, const std::string& name, std::string_view content) {
  std::string draft = name + ".new";
  Fd file = TRY(sys::openat(directory, draft, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  TRY(sys::write_all(file.get(), content.data(), content.size(), draft));
  if (renameat(directory, draft.c_str(), directory, name.c_str()) < 0) return sys::last_failure("renameat", name);
  return {};
}

Result<void> write_status(int directory, const char* name, const Status& status) {
  return replace_file(directory, name, json_of(status));
}

Result<Journal> Journal::open(const LaunchPlan& plan) {
  Journal journal;
  journal.file_ = TRY(sys::open(plan.journal, O_WRONLY | O_APPEND | O_CREAT, 0600));
  journal.id_ = plan.id;
  journal.attributes_ = plan.journal_attributes.empty() ? "{}" : plan.journal_attributes;
  return journal;
}

void Journal::record(std::string_view action, std::string_view more) {
  std::string attributes = attributes_;
  if (!more.empty()) {
    attributes.pop_back();
    if (attributes.size() > 1) attributes += ',';
    attributes.append(more) += '}';
  }
  std::string line = R"({"time":")";
  line.append(Stamp::now().text()).append(R"(","type":"container","action":")").append(action);
  line += R"(","id":")" + id_ + R"(","attributes":)" + attributes + "}\n";
  (void)!::write(file_.get(), line.data(), line.size());
}

}  // namespace caisson
