#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "../core/sys.h"
#include "joins.h"
#include "undo.h"

namespace caisson {

namespace {

constexpr int EVENTS = 32;
constexpr int64_t RESOLVER_BACKOFF_MS = 100, RESOLVER_BACKOFF_LIMIT_MS = 5000, RESOLVER_SETTLED_MS = 10'000;
// How long the last frames may take to a peer that does not read.
constexpr int LAST_FLUSH_MS = 5000;

// The CLI may still hold the description: closing ours would not be enough.
void release_alive_lock() {
  struct flock lock = {};
  lock.l_type = F_UNLCK;
  fcntl(monitor_fd::alive, F_OFD_SETLK, &lock);
}

uint64_t key(uint32_t source, int fd) { return uint64_t{source} << 32 | static_cast<uint32_t>(fd); }

}  // namespace

Supervisor::Supervisor(LaunchPlan plan) : plan_(std::move(plan)), row_(plan_.restart), health_(plan_.health) {}

int Supervisor::run() {
  Result<void> built = build();
  if (!built) return abandon(&built.failure());
  announce_created();
  while (status_.state != RunState::exited && !abandoned_) serve();
  return abandoned_ ? abandon(failure_.get()) : finish();
}

Result<void> Supervisor::build() {
  if (!owns_pid_namespace(plan_)) warden_ = TRY(in_section("namespaces", 0, Warden::start(plan_)));
  epoll_ = TRY(sys::check_fd(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
  fcntl(monitor_fd::startup, F_SETFL, O_NONBLOCK);
  adopt(std::make_unique<Client>(Fd(monitor_fd::startup)));
  startup_ = clients_.front().get();
  journal_ = std::make_unique<Journal>(TRY(in_section("log", 0, Journal::open(plan_))));
  log_ = std::make_unique<LogWriter>(
      TRY(in_section("log", 0, LogSegments::open(monitor_fd::state_directory, plan_.log_max_bytes, plan_.log_max_files))));
  network_ = TRY(in_section("network", 0, open_network(plan_.network, monitor_fd::network_root)));
  TRY(join_network(plan_));
  TRY(in_section("network", 0, enter_network(network_, plan_.network)));
  TRY(in_section("network", 0, build_network(network_, plan_.network)));
  TRY(start_netd());
  TRY(create_run());
  return open_for_clients();
}

Result<void> Supervisor::start_netd() {
  std::vector<int> listeners;
  for (size_t i = 0; i < plan_.network.listeners.size(); i++) {
    listeners.push_back(monitor_fd::first_listener + static_cast<int>(i));
  }
  resolver_ = TRY(in_section("resolver", 0, start_resolver(network_, plan_.network, listeners)));
  resolver_started_ms_ = monotonic_ms();
  if (broker_fd(resolver_) >= 0) watch(Source::broker, broker_fd(resolver_), EPOLLIN);
  return {};
}

Result<void> Supervisor::open_for_clients() {
  listener_ = TRY(in_section("namespaces", 0, open_control_socket(monitor_fd::run_directory)));
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGCHLD, SIGTERM}) sigaddset(&set, signal);
  signals_ = TRY(sys::signalfd(set, SFD_NONBLOCK));
  watch(Source::signals, signals_.get(), EPOLLIN);
  watch(Source::listener, listener_.get(), EPOLLIN);
  status_.state = RunState::created;
  return in_section("plan", 0, write_status(monitor_fd::run_directory, "status", status_));
}

void Supervisor::announce_created() {
  PayloadWriter created;
  created.u32(static_cast<uint32_t>(container_.host_pid));
  append_frame(startup_->out(), FrameType::created, created.bytes());
  startup_->flush();
}

void Supervisor::serve() {
  struct epoll_event events[EVENTS];
  int count = epoll_wait(epoll_.get(), events, EVENTS, timers_.timeout());
  for (int i = 0; i < count; i++) {
    dispatch(static_cast<Source>(events[i].data.u64 >> 32), static_cast<int>(events[i].data.u64), events[i].events);
  }
  on_timers();
  remove_dead_clients();
}

void Supervisor::dispatch(Source source, int fd, uint32_t events) {
  switch (source) {
    case Source::signals:
      return take_signals();
    case Source::listener:
      while (auto client = accept_client(fd)) adopt(std::move(client));
      return;
    case Source::client:
      return on_client(fd, events);
    case Source::standard_output:
      return read_output(Stream::standard_output, stdout_, ROUNDS);
    case Source::standard_error:
      return read_output(Stream::standard_error, stderr_, ROUNDS);
    case Source::standard_input:
      return flush_stdin(events);
    case Source::probe:
      return read_probe();
    case Source::broker:
      return serve_broker(resolver_);
  }
}

void Supervisor::on_timers() {
  if (timers_.take_expired(Timer::grace)) {
    (void)sys::pidfd_send_signal(container_.pidfd.get(), SIGKILL);
    (void)set_paused(false);
  }
  if (timers_.take_expired(Timer::restart)) restart();
  if (timers_.take_expired(Timer::probe)) start_probe();
  if (timers_.take_expired(Timer::probe_end)) end_probe();
  if (timers_.take_expired(Timer::resolver)) restart_resolver();
  if (timers_.take_expired(Timer::stall)) drop_stalled();
  if (timers_.take_expired(Timer::idle)) {
    log_->settle();
    buffer_.release();
    if (log_->unsettled()) timers_.set(Timer::idle, 1000);  // the disk is still full
  }
}

void Supervisor::take_signals() {
  struct signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    // Of the machine's shutdown, perhaps: `stopped` is left to those who ask over the socket.
    if (info.ssi_signo == SIGTERM) begin_stop(PLANNED_SIGNAL, PLANNED_GRACE);
  }
  reap();
}

// As PID 1 of the outer namespace the monitor gets every orphan, not only its own children.
void Supervisor::reap() {
  for (;;) {
    siginfo_t info = {};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0) return;
    if (info.si_pid == container_.pid) {
      end_of_run(info.si_code, info.si_status);
    } else if (info.si_pid == probe_.pid()) {
      finish_probe(info.si_code, info.si_status);
    } else if (info.si_pid == resolver_pid(resolver_)) {
      bool settled = monotonic_ms() - resolver_started_ms_ > RESOLVER_SETTLED_MS;
      resolver_backoff_ms_ = settled ? 0 : std::min(resolver_backoff_ms_ * 2 + RESOLVER_BACKOFF_MS, RESOLVER_BACKOFF_LIMIT_MS);
      timers_.set(Timer::resolver, resolver_backoff_ms_);
    }
  }
}

void Supervisor::restart_resolver() {
  resolver_started_ms_ = monotonic_ms();
  if (!respawn_resolver(resolver_)) return timers_.set(Timer::resolver, RESOLVER_BACKOFF_LIMIT_MS);
  watch(Source::broker, broker_fd(resolver_), EPOLLIN);
}

// `exited` is told when nothing of the run is left, and the alive lock is free: whoever hears it may start the next run.
// Everybody hears it: a request to wait could come a moment too late.
int Supervisor::finish() {
  (void)write_status(monitor_fd::run_directory, "status", status_);
  (void)write_status(monitor_fd::state_directory, "exit", status_);
  bool removed = !committed_ || plan_.auto_remove;
  bool undone = static_cast<bool>(undo(removed));
  if (undone && committed_ && removed) journal_->record("destroy");
  warden_.dismiss();
  release_alive_lock();
  // Those that must not miss anything last: they may take their time.
  std::stable_partition(clients_.begin(), clients_.end(), [](auto& client) { return !client->holds; });
  for (auto& client : clients_) {
    append_exited(client->out(), status_.exit);
    client->flush_waiting(client->holds ? 0 : LAST_FLUSH_MS);
  }
  return undone ? 0 : 1;
}

// The start failed, or its starter died before it committed. A commit that was sent ahead counts.
int Supervisor::abandon(const Failure* failure) {
  Failure told = failure != nullptr ? *failure : Failure{.section = "plan", .syscall = "recv", .error = ECANCELED, .path = ""};
  abandoned_ = true;
  if (startup_ != nullptr && startup_->receive({buffer_.data(), MAX_PAYLOAD_BYTES})) serve_frames(*startup_);
  destroy_container();
  drain_output();
  if (committed_) {
    status_.state = RunState::exited;
    status_.host_pid = 0;
    status_.finished_at = Stamp::now().text();
    status_.exit.code = exit_code_of(told);
    (void)write_status(monitor_fd::state_directory, "exit", status_);
  }
  (void)undo(!committed_ || plan_.auto_remove);
  warden_.dismiss();
  release_alive_lock();
  for (auto& client : clients_) {
    append_failure(client->out(), told);
    client->flush_waiting(LAST_FLUSH_MS);
  }
  return 1;
}

void Supervisor::destroy_container() {
  if (!container_.pidfd) return;
  (void)sys::pidfd_send_signal(container_.pidfd.get(), SIGKILL);
  (void)sys::wait_pidfd(container_.pidfd.get());
}

void Supervisor::stop_resolver() {
  if (pid_t netd = resolver_pid(resolver_); netd > 0 && kill(netd, SIGKILL) == 0) waitpid(netd, nullptr, 0);
}

// Published ports are free before the run is gone: whoever waits for its end listens on them next. netd has some too.
void Supervisor::close_ports() {
  stop_resolver();
  unsigned first = monitor_fd::first_listener;
  if (size_t count = plan_.network.listeners.size(); count > 0) close_range(first, first + count - 1, 0);
}

Result<void> Supervisor::undo(bool remove) {
  close_ports();
  std::optional<UndoList> list = TRY(read_undo_list(monitor_fd::state_directory));
  if (!list) return {};
  return run_undo(*list, remove, network_.root_netfilter.get());
}

void Supervisor::watch(Source source, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.u64 = key(static_cast<uint32_t>(source), fd)}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void Supervisor::change(Source source, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.u64 = key(static_cast<uint32_t>(source), fd)}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Supervisor::unwatch(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

}  // namespace caisson
