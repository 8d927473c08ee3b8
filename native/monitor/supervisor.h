// Supervisor: one run of a container, from its plan to the undo list. A single thread around one epoll set; nothing in it
// waits for a peer. Its states:
//
//   build ─► created ─(go)─► running ─► exited ─► undo ─► end
//     │                       ▲   │
//     │                       │   ▼   policy; a start that fails goes back here
//     │                     restarting ─(stop)─► exited             running ◄─(pause, unpause)─► paused
//     └─ failure ─► undo ─► end                                     (not committed: `remove` scope too)
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../core/container.h"
#include "../core/launch_plan.h"
#include "../network/network.h"
#include "../core/protocol.h"
#include "../netd/resolver.h"
#include "clock.h"
#include "control.h"
#include "health.h"
#include "health_log.h"
#include "log_writer.h"
#include "memory_events.h"
#include "page_buffer.h"
#include "probe.h"
#include "records.h"
#include "restart.h"
#include "warden.h"

namespace caisson {

// As a shell tells it: 127 not found, 126 found but not started, 125 never got so far.
uint32_t exit_code_of(const Failure& failure);
std::string text_of(const Failure& failure);

class Supervisor {
 public:
  // `descriptors`: those of monitor_fd, open and close-on-exec.
  explicit Supervisor(LaunchPlan plan);
  // Returns the exit code of the monitor.
  int run();

 private:
  // What an epoll event belongs to; the descriptor is in the lower half of its data.
  enum class Source : uint32_t { signals, listener, client, standard_output, standard_error, standard_input, broker, probe };

  // supervisor.cc: life
  Result<void> build();
  Result<void> open_for_clients();
  void announce_created();
  void serve();
  void dispatch(Source source, int fd, uint32_t events);
  void take_signals();
  void reap();
  int finish();
  int abandon(const Failure* failure);
  void destroy_container();
  void stop_resolver();
  void close_ports();
  Result<void> start_netd();
  Result<void> undo(bool remove);
  void restart_resolver();
  void on_timers();

  // runs.cc: one run of the process after another
  Result<void> create_run();
  Result<void> release_run();
  void end_of_run(int code, int status);
  void follow(const Exit& exit, int64_t ran_ms, bool may_restart);
  void restart();
  Result<void> start_again();
  Result<void> renew_network();
  void fail_run(const Failure& failure);
  void publish();

  // probing.cc: health
  void begin_health();
  void end_health();
  void suspend_health();
  void resume_health();
  void set_next_probe();
  void start_probe();
  void read_probe();
  void end_probe();
  void finish_probe(int code, int status);
  void take_result(const ProbeResult& result, int64_t started_ms);

  // requests.cc: what clients ask for
  void on_client(int fd, uint32_t events);
  void serve_frames(Client& client);
  void serve_request(Client& client, const Request& request);
  void serve_go(Client& client);
  void serve_signal(Client& client, uint32_t signal);
  void serve_attach(Client& client, uint32_t bits);
  void serve_pidfd(Client& client);
  void serve_network(Client& client);
  void serve_pause(Client& client, bool paused);
  Result<void> set_paused(bool paused);
  bool asks_for_end(uint32_t signal) const;
  void begin_stop(uint32_t signal, uint32_t grace_ms);
  void adopt(std::unique_ptr<Client> client);
  void remove_dead_clients();
  void greet(Client& client);
  void put_condition(PayloadWriter& payload);
  void resize(unsigned short rows, unsigned short columns);

  // stdio.cc: what goes in and out of the container
  void open_stdio();
  void read_output(Stream stream, Fd& source, int rounds);
  void drain_output();
  void close_stdio(Fd& fd);
  void close_stdio();
  void broadcast(Stream stream, std::string_view data);
  void pause_output();
  void drop_stalled();
  void write_stdin(std::span<const uint8_t> data);
  void flush_stdin(uint32_t events);
  bool stdin_is_full() const { return stdin_queue_.size() >= STDIN_QUEUE_BYTES; }

  void watch(Source source, int fd, uint32_t events);
  void change(Source source, int fd, uint32_t events);
  void unwatch(int fd);
  void update_interest(Client& client);

  LaunchPlan plan_;
  Fd epoll_, signals_, listener_;
  NetworkHandle network_;
  Resolver resolver_;
  int64_t resolver_started_ms_ = 0;
  int64_t resolver_backoff_ms_ = 0;

  Container container_;
  Status status_;
  Bytes told_;                 // payload of the last `changed`
  RestartRow row_;
  int64_t run_started_ms_ = 0;
  HealthCheck health_;
  HealthLog health_log_;
  Probe probe_;
  Warden warden_;
  bool shares_network_ = false;  // another container is in it
  bool ending_ = false;        // by request: no policy starts it again
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<LogWriter> log_;
  uint64_t oom_kills_before_ = 0;
  Timers timers_;

  std::vector<std::unique_ptr<Client>> clients_;
  Client* startup_ = nullptr;  // one of clients_; null once it has gone
  bool committed_ = false;
  bool abandoned_ = false;     // the starter died before it committed, or the start failed
  std::unique_ptr<Failure> failure_;

  Fd stdout_, stderr_, stdin_;
  bool output_paused_ = false; // neither stdout_ nor stderr_ is in the epoll set
  Bytes stdin_queue_;
  bool stdin_watched_ = false; // in the epoll set, while the queue waits
  bool stdin_ends_ = false;    // end of file follows the queue
  PageBuffer buffer_{READ_BYTES};

  // Reads of one wake-up and stream: a flood of one must not keep the other, or a client, waiting.
  static constexpr int ROUNDS = 4;
  // A client that reads holds the container back for moments, as a pipe would; one that does not is dropped after this.
  static constexpr int64_t STALL_MS = 2000;
  static constexpr size_t READ_BYTES = 256 * 1024;
  static constexpr size_t STDIN_QUEUE_BYTES = 64 * 1024;
};

}  // namespace caisson
