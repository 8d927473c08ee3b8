// What clients ask for over the control socket.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <algorithm>

#include "../core/sys.h"
#include "freezer.h"
#include "supervisor.h"

namespace caisson {

namespace {

constexpr size_t MAX_CLIENTS = 256;

std::span<const uint8_t> host_pid_payload(PayloadWriter& writer, pid_t pid) {
  return writer.u32(static_cast<uint32_t>(pid)).bytes();
}

// Between two runs there is no process.
Failure not_running(const char* section, const char* syscall) {
  return {.section = section, .syscall = syscall, .error = ESRCH};
}

}  // namespace

void Supervisor::adopt(std::unique_ptr<Client> client) {
  if (clients_.size() >= MAX_CLIENTS) return;
  watch(Source::client, client->fd(), EPOLLIN);
  greet(*client);
  clients_.push_back(std::move(client));
}

void Supervisor::greet(Client& client) {
  PayloadWriter hello;
  hello.u32(PROTOCOL_VERSION).u32(0).u32(static_cast<uint32_t>(status_.state)).u32(static_cast<uint32_t>(container_.host_pid));
  put_condition(hello);
  append_frame(client.out(), FrameType::hello, hello.bytes());
  client.flush();
}

// What `hello` has behind the pid, and `changed` behind the state.
void Supervisor::put_condition(PayloadWriter& payload) {
  payload.u32(static_cast<uint32_t>(status_.health)).u32(status_.restarts).u32(status_.exit.code);
}

void Supervisor::on_client(int fd, uint32_t events) {
  auto found = std::find_if(clients_.begin(), clients_.end(), [fd](auto& client) { return client->fd() == fd; });
  if (found == clients_.end()) return;
  Client& client = **found;
  if (events & EPOLLOUT) {
    client.flush();
    if (timers_.pending(Timer::stall)) timers_.set(Timer::stall, STALL_MS);  // it reads
  }
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
    bool alive = client.receive({buffer_.data(), MAX_PAYLOAD_BYTES});
    serve_frames(client);
    if (!alive) client.give_up();
  }
  update_interest(client);
}

void Supervisor::serve_frames(Client& client) {
  Frame frame;
  for (;;) {
    FrameReader::Next next = client.frames().next(frame);
    if (next == FrameReader::Next::more) break;
    std::optional<Request> request;
    if (next == FrameReader::Next::frame) request = decode_request(frame);
    if (!request) return client.give_up();
    serve_request(client, *request);
  }
  client.flush();
}

void Supervisor::serve_request(Client& client, const Request& request) {
  if (abandoned_ && request.type != FrameType::commit) return;  // all get the failure
  switch (request.type) {
    case FrameType::commit:
      committed_ = true;
      return;
    case FrameType::go:
      return serve_go(client);
    case FrameType::wait:
      return;  // whoever is connected hears of the end
    case FrameType::signal:
      return serve_signal(client, request.first);
    case FrameType::stop:
      status_.stopped = true;
      return begin_stop(request.first, request.second);
    case FrameType::attach:
      return serve_attach(client, request.first);
    case FrameType::stdin_data:
      if (client.attached_stdin) write_stdin(request.data);
      return;
    case FrameType::resize:
      return resize(static_cast<unsigned short>(request.first), static_cast<unsigned short>(request.second));
    case FrameType::pidfd:
      return serve_pidfd(client);
    case FrameType::network:
      return serve_network(client);
    case FrameType::pause:
    case FrameType::unpause:
      return serve_pause(client, request.type == FrameType::pause);
    case FrameType::hello:
    case FrameType::created:
    case FrameType::running:
    case FrameType::exited:
    case FrameType::failure:
    case FrameType::ok:
    case FrameType::stdout_data:
    case FrameType::stderr_data:
    case FrameType::pidfd_reply:
    case FrameType::changed:
    case FrameType::network_reply:
      return;  // decode_request lets none of them through
  }
}

void Supervisor::serve_go(Client& client) {
  if (status_.state == RunState::created) {
    Result<void> released = release_run();
    if (!released) {
      failure_ = std::make_unique<Failure>(std::move(released).failure());
      abandoned_ = true;
      return;
    }
  }
  PayloadWriter running;
  append_frame(client.out(), FrameType::running, host_pid_payload(running, container_.host_pid));
}

// Those on which programs end by convention: who sends one means that the container shall not come back (docker kill).
bool Supervisor::asks_for_end(uint32_t signal) const {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == plan_.stop_signal;
}

void Supervisor::serve_signal(Client& client, uint32_t signal) {
  bool ends = asks_for_end(signal);
  if (ends && status_.state == RunState::restarting) {
    status_.stopped = true;
    begin_stop(signal, 0);
    return append_frame(client.out(), FrameType::ok);
  }
  if (!container_.pidfd) return append_failure(client.out(), not_running("signal", "pidfd_send_signal"));
  Result<void> sent = in_section("signal", 0, sys::pidfd_send_signal(container_.pidfd.get(), static_cast<int>(signal)));
  if (!sent) return append_failure(client.out(), sent.failure());
  if (ends) {
    status_.stopped = ending_ = true;
    (void)set_paused(false);  // what is frozen would not end
  }
  journal_->record("kill", R"("signal":")" + std::to_string(signal) + '"');
  append_frame(client.out(), FrameType::ok);
}

// The signal, then after the grace SIGKILL. Asked twice, the earlier end wins. What stands at the barrier has no handlers.
void Supervisor::begin_stop(uint32_t signal, uint32_t grace_ms) {
  if (signal == PLANNED_SIGNAL) signal = plan_.stop_signal;
  if (grace_ms == PLANNED_GRACE) grace_ms = plan_.stop_grace_ms;
  ending_ = true;
  journal_->record("stop");
  if (status_.state == RunState::restarting) {
    status_.state = RunState::exited;
    return;
  }
  if (status_.state == RunState::created || grace_ms == 0) signal = SIGKILL;
  (void)sys::pidfd_send_signal(container_.pidfd.get(), static_cast<int>(signal));
  (void)set_paused(false);
  timers_.set_earlier(Timer::grace, grace_ms);
}

void Supervisor::serve_pause(Client& client, bool paused) {
  RunState wanted = paused ? RunState::running : RunState::paused;
  Result<void> done;
  if (status_.state != wanted) done = Failure{.section = "pause", .syscall = "state", .error = EINVAL};
  else done = set_paused(paused);
  if (!done) return append_failure(client.out(), done.failure());
  append_frame(client.out(), FrameType::ok);
}

Result<void> Supervisor::set_paused(bool paused) {
  if ((status_.state == RunState::paused) == paused) return {};
  TRY(set_frozen(plan_, paused));
  status_.state = paused ? RunState::paused : RunState::running;
  paused ? suspend_health() : resume_health();
  journal_->record(paused ? "pause" : "unpause");
  publish();
  return {};
}

// The next run's terminal has the size of this one's.
void Supervisor::resize(unsigned short rows, unsigned short columns) {
  plan_.process.rows = rows;
  plan_.process.columns = columns;
  struct winsize size = {.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  if (container_.terminal) ioctl(container_.terminal.get(), TIOCSWINSZ, &size);
}

void Supervisor::serve_attach(Client& client, uint32_t bits) {
  client.attached_stdin = bits & ATTACH_STDIN;
  client.attached_output = bits & ATTACH_OUTPUT;
  client.holds = bits & ATTACH_HOLD;
  client.ends_stdin = client.attached_stdin && bits & ATTACH_ONCE;
}

void Supervisor::serve_pidfd(Client& client) {
  if (!container_.pidfd) return append_failure(client.out(), not_running("pidfd", "pidfd_open"));
  client.send_descriptor(FrameType::pidfd_reply, container_.pidfd.get());
}

// The namespace that this process holds, not the one that the container may have made itself since.
void Supervisor::serve_network(Client& client) {
  Result<Fd> own = in_section("namespaces", 0, sys::open("/proc/self/ns/net", O_RDONLY));
  if (!own) return append_failure(client.out(), own.failure());
  shares_network_ = true;
  client.send_descriptor(FrameType::network_reply, own.value().get());
}

void Supervisor::update_interest(Client& client) {
  if (client.dead()) return;
  bool paused = client.attached_stdin && stdin_is_full();
  change(Source::client, client.fd(), (paused ? 0 : uint32_t{EPOLLIN}) | (client.queued() > 0 ? uint32_t{EPOLLOUT} : 0));
  pause_output();
}

// Between events only: whoever handles one may hold a Client.
void Supervisor::remove_dead_clients() {
  // A terminal stays as it is: the end of file is a key there, which nobody has pressed.
  bool stdin_ends = false;
  std::erase_if(clients_, [&](const std::unique_ptr<Client>& client) {
    if (!client->dead()) return false;
    stdin_ends = stdin_ends || (client->ends_stdin && !container_.terminal);
    if (client.get() == startup_) {
      startup_ = nullptr;
      abandoned_ = abandoned_ || !committed_;
    }
    return true;
  });
  if (stdin_ends) write_stdin({});
}

}  // namespace caisson
