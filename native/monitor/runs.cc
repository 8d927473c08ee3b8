// One run of the container's process after another: how each begins, how it ends, and what follows from its end.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>

#include <algorithm>

#include "../core/sys.h"
#include "joins.h"
#include "remove_cgroup.h"
#include "remove_tree.h"
#include "supervisor.h"

namespace caisson {

namespace {

Exit exit_of(int code, int status) {
  if (code == CLD_EXITED) return {.code = static_cast<uint32_t>(status)};
  return {.code = 128 + static_cast<uint32_t>(status), .signal = static_cast<uint32_t>(status)};
}

// The random part of the name comes anew.
Result<void> rename_host_end(Endpoint& endpoint) {
  constexpr size_t DIGITS = 8;
  uint32_t random = 0;
  TRY(sys::check(getrandom(&random, sizeof random, 0), "getrandom"));
  char digits[DIGITS + 1];
  snprintf(digits, sizeof digits, "%08x", random);
  endpoint.host_name.resize(std::max(endpoint.host_name.size(), DIGITS) - DIGITS);
  endpoint.host_name += digits;
  return {};
}

// What a run has left: the container's directories come anew with the next one, but for what it has written. A used work
// directory costs ten times the mount, and a device filter would be attached to the old cgroup a second time.
Result<void> remove_leftovers(const LaunchPlan& plan) {
  for (size_t i = 0; i < plan.cgroups.size(); i++) {
    TRY(in_section("cgroup", static_cast<uint32_t>(i), remove_cgroup(plan.cgroups[i].path)));
  }
  if (plan.work.empty()) return {};
  TRY(in_section("rootfs", 0, remove_tree(plan.work)));
  return in_section("rootfs", 0, sys::make_directories(plan.work, 0755));
}

}  // namespace

uint32_t exit_code_of(const Failure& failure) {
  if (std::string_view(failure.section) != "exec") return 125;
  return failure.error == ENOENT ? 127 : 126;
}

std::string text_of(const Failure& failure) {
  std::string text = std::string(failure.section) + ": " + failure.syscall;
  if (!failure.path.empty()) text += " " + failure.path;
  return text + ": " + strerror(failure.error);
}

Result<void> Supervisor::create_run() {
  container_ = TRY(create_joined(plan_));
  oom_kills_before_ = oom_kills(plan_.memory_events);
  open_stdio();
  status_.host_pid = container_.host_pid;
  return {};
}

Result<void> Supervisor::release_run() {
  TRY(release_container(container_));
  status_.state = RunState::running;
  status_.started_at = Stamp::now().text();
  status_.failure.reset();
  run_started_ms_ = monotonic_ms();
  begin_health();
  publish();
  journal_->record("start");
  return {};
}

// Nothing of it is left then, and nobody writes any more.
void Supervisor::end_of_run(int code, int status) {
  bool ran = status_.state == RunState::running || status_.state == RunState::paused;
  Exit exit = exit_of(code, status);
  exit.oom_killed = oom_kills(plan_.memory_events) > oom_kills_before_;
  if (!owns_pid_namespace(plan_)) end_processes(plan_);
  drain_output();
  if (exit.oom_killed) journal_->record("oom");
  follow(exit, monotonic_ms() - run_started_ms_, ran);
}

// What was asked for comes first: a stop ends a row of restarts whatever the policy says.
void Supervisor::follow(const Exit& exit, int64_t ran_ms, bool may_restart) {
  end_health();
  container_ = {};
  status_.exit = exit;
  status_.host_pid = 0;
  status_.finished_at = Stamp::now().text();
  timers_.clear(Timer::grace);
  journal_->record("die", R"("exitCode":")" + std::to_string(exit.code) + '"');
  std::optional<int64_t> pause_ms;
  if (may_restart && !ending_) pause_ms = row_.next(exit.code, ran_ms);
  if (!pause_ms) {
    status_.state = RunState::exited;
    return;
  }
  close_stdio();
  if (health_.wanted()) status_.health = HealthState::starting;
  status_.state = RunState::restarting;
  timers_.set(Timer::restart, *pause_ms);
  publish();
}

void Supervisor::restart() {
  status_.restarts++;
  Result<void> started = start_again();
  if (!started) fail_run(started.failure());
}

// Sockets first, as nothing of the container lives now: a server without SO_REUSEADDR could not bind again.
Result<void> Supervisor::start_again() {
  if (plan_.restart.fresh_network && !shares_network_) TRY(renew_network());
  else if (plan_.network.mode != NetworkMode::host) TRY(in_section("network", 0, destroy_sockets()));
  TRY(remove_leftovers(plan_));
  TRY(create_run());
  return release_run();
}

// A container that may configure its network finds none of the links and rules of its last run. Address, names and published
// ports stay, and the host ends of the links have new names, because the old ones go when the kernel comes to it.
Result<void> Supervisor::renew_network() {
  if (broker_fd(resolver_) >= 0) unwatch(broker_fd(resolver_));
  stop_resolver();
  resolver_ = {};
  timers_.clear(Timer::resolver);
  for (Endpoint& endpoint : plan_.network.endpoints) TRY(in_section("network", 0, rename_host_end(endpoint)));
  TRY(in_section("network", 0, enter_network(network_, plan_.network)));
  TRY(in_section("network", 0, build_network(network_, plan_.network)));
  return start_netd();
}

// A start that fails is a run that has failed. Its reason goes where a user looks: status, log, journal's exit code.
void Supervisor::fail_run(const Failure& failure) {
  destroy_container();
  drain_output();
  std::string line = "caisson: " + plan_.name + " was not started again: " + text_of(failure) + "\n";
  log_->append(Stream::standard_error, line);
  broadcast(Stream::standard_error, line);
  status_.failure = failure;
  follow(Exit{.code = exit_code_of(failure)}, 0, true);
}

// `changed` only where there is news of what it carries.
void Supervisor::publish() {
  (void)write_status(monitor_fd::run_directory, "status", status_);
  PayloadWriter condition;
  condition.u32(static_cast<uint32_t>(status_.state));
  put_condition(condition);
  if (std::ranges::equal(condition.bytes(), told_)) return;
  told_.assign(condition.bytes().begin(), condition.bytes().end());
  for (auto& client : clients_) {
    append_frame(client->out(), FrameType::changed, told_);
    client->flush();
    update_interest(*client);
  }
}

}  // namespace caisson
