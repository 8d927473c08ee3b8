// When the supervisor runs the probes of its health check, and what it does with their results.
#include <sys/epoll.h>

#include "supervisor.h"

namespace caisson {

namespace {

// How long what has timed out may take to end itself and what it has started.
constexpr int64_t END_MS = 2000;

}  // namespace

void Supervisor::begin_health() {
  health_.begin();
  status_.health = health_.state();
  if (health_.wanted()) timers_.set(Timer::probe, health_.delay(0));
}

// The run has ended: what it says now is of no account.
void Supervisor::end_health() {
  timers_.clear(Timer::probe);
  timers_.clear(Timer::probe_end);
  if (probe_.output() >= 0) unwatch(probe_.output());
  probe_.give_up();
}

// A frozen container answers nothing, and is not to blame for it.
void Supervisor::suspend_health() {
  timers_.clear(Timer::probe);
  timers_.clear(Timer::probe_end);
}

void Supervisor::resume_health() {
  if (!health_.wanted()) return;
  if (probe_.running()) timers_.set(Timer::probe_end, plan_.health.timeout_ms);
  else set_next_probe();
}

void Supervisor::set_next_probe() {
  timers_.set(Timer::probe, health_.delay(monotonic_ms() - run_started_ms_));
}

void Supervisor::start_probe() {
  Result<void> started = probe_.start(plan_);
  if (!started) {
    std::string now(Stamp::now().text());
    return take_result({.started = now, .ended = now, .exit_code = -1, .output = text_of(started.failure())}, monotonic_ms());
  }
  watch(Source::probe, probe_.output(), EPOLLIN);
  timers_.set(Timer::probe_end, plan_.health.timeout_ms);
}

void Supervisor::read_probe() {
  int output = probe_.output();
  if (probe_.read_output()) return;
  if (output >= 0) unwatch(output);
}

void Supervisor::end_probe() {
  if (probe_.timed_out()) return probe_.kill();
  probe_.time_out(plan_.health.timeout_ms);
  timers_.set(Timer::probe_end, END_MS);
}

void Supervisor::finish_probe(int code, int status) {
  timers_.clear(Timer::probe_end);
  if (probe_.output() >= 0) unwatch(probe_.output());
  int64_t started_ms = probe_.started_ms();
  take_result(probe_.finish(code, status), started_ms);
}

void Supervisor::take_result(const ProbeResult& result, int64_t started_ms) {
  health_.take(result.exit_code == 0, started_ms - run_started_ms_);
  health_log_.append(monitor_fd::run_directory, health_, result);
  if (status_.state == RunState::running) set_next_probe();
  if (status_.health == health_.state()) return;
  status_.health = health_.state();
  journal_->record(std::string("health_status: ") + name_of(status_.health));
  publish();
}

}  // namespace caisson
