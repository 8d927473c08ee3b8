// What a container writes goes to the log and to attached clients; what attached clients write goes to its stdin.
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "../core/sys.h"
#include "supervisor.h"

namespace caisson {

namespace {

// Nobody writes any more when the last reads are done; this only bounds the loop.
constexpr int LAST_ROUNDS = 1024;
// A prompt has no newline: it is shown in the log after this pause.
constexpr int64_t IDLE_MS = 200;
constexpr size_t CLIENT_QUEUE_BYTES = 1 << 20;
constexpr uint8_t END_OF_TRANSMISSION = 4;

void make_non_blocking(const Fd& fd) {
  if (fd) fcntl(fd.get(), F_SETFL, O_NONBLOCK | fcntl(fd.get(), F_GETFL));
}

bool is_full(const Client& client) {
  return !client.dead() && client.attached_output && client.queued() > CLIENT_QUEUE_BYTES;
}

}  // namespace

// A terminal is one descriptor for both directions; a copy lets epoll watch them apart.
void Supervisor::open_stdio() {
  if (container_.terminal) {
    stdin_ = Fd(fcntl(container_.terminal.get(), F_DUPFD_CLOEXEC, 0));
    stdout_ = Fd(fcntl(container_.terminal.get(), F_DUPFD_CLOEXEC, 0));
  } else {
    stdin_ = std::move(container_.stdin_write);
    stdout_ = std::move(container_.stdout_read);
    stderr_ = std::move(container_.stderr_read);
  }
  for (Fd* fd : {&stdin_, &stdout_, &stderr_}) make_non_blocking(*fd);
  if (output_paused_) return;
  if (stdout_) watch(Source::standard_output, stdout_.get(), EPOLLIN);
  if (stderr_) watch(Source::standard_error, stderr_.get(), EPOLLIN);
}

void Supervisor::read_output(Stream stream, Fd& source, int rounds) {
  for (int round = 0; round < rounds && source && (!output_paused_ || rounds == LAST_ROUNDS); round++) {
    Result<size_t> got = sys::read(source.get(), buffer_.data(), buffer_.size());
    if (!got && got.failure().error == EAGAIN) break;
    if (!got || got.value() == 0) return close_stdio(source);  // EIO: the last process has closed the terminal
    std::string_view data(buffer_.data(), got.value());
    log_->append(stream, data);
    broadcast(stream, data);
    if (rounds == ROUNDS && data.size() < buffer_.size() / 8) break;  // it has probably been all
  }
  timers_.set(Timer::idle, IDLE_MS);
}

// Out of the epoll set first: a terminal has further descriptors, so that closing this one would leave it there.
void Supervisor::close_stdio(Fd& fd) {
  unwatch(fd.get());
  fd.reset();
}

// Between two runs: what was meant for the one does not go to the other.
void Supervisor::close_stdio() {
  for (Fd* fd : {&stdin_, &stdout_, &stderr_}) {
    if (*fd) close_stdio(*fd);
  }
  stdin_queue_.clear();
  stdin_watched_ = stdin_ends_ = false;
}

void Supervisor::drain_output() {
  if (!log_) return;
  read_output(Stream::standard_output, stdout_, LAST_ROUNDS);
  read_output(Stream::standard_error, stderr_, LAST_ROUNDS);
  log_->settle();
  timers_.clear(Timer::idle);
}

void Supervisor::broadcast(Stream stream, std::string_view data) {
  FrameType type = stream == Stream::standard_output ? FrameType::stdout_data : FrameType::stderr_data;
  for (auto& client : clients_) {
    if (!client->attached_output || client->dead()) continue;
    for (size_t at = 0; at < data.size(); at += MAX_PAYLOAD_BYTES) {
      std::string_view part = data.substr(at, MAX_PAYLOAD_BYTES);
      append_frame(client->out(), type, {reinterpret_cast<const uint8_t*>(part.data()), part.size()});
    }
    client->flush();
    update_interest(*client);
  }
}

// Output that attached clients have not taken waits here; beyond this, in the container's pipe.
void Supervisor::pause_output() {
  bool full = std::any_of(clients_.begin(), clients_.end(), [](auto& client) { return is_full(*client); });
  if (full == output_paused_) return;
  output_paused_ = full;
  for (Fd* fd : {&stdout_, &stderr_}) {
    if (!*fd) continue;
    Source source = fd == &stdout_ ? Source::standard_output : Source::standard_error;
    full ? unwatch(fd->get()) : watch(source, fd->get(), EPOLLIN);
  }
  full ? timers_.set(Timer::stall, STALL_MS) : timers_.clear(Timer::stall);
}

void Supervisor::drop_stalled() {
  for (auto& client : clients_) {
    if (is_full(*client) && !client->holds) client->give_up();
  }
  pause_output();
}

void Supervisor::write_stdin(std::span<const uint8_t> data) {
  if (!stdin_ || stdin_ends_) return;
  if (data.empty() && container_.terminal) {
    stdin_queue_.push_back(END_OF_TRANSMISSION);  // a terminal has no other end of file
  } else if (data.empty()) {
    stdin_ends_ = true;
  } else {
    stdin_queue_.insert(stdin_queue_.end(), data.begin(), data.end());
  }
  flush_stdin(0);
}

void Supervisor::flush_stdin(uint32_t events) {
  if (!stdin_) return;
  ssize_t put = stdin_queue_.empty() ? 0 : ::write(stdin_.get(), stdin_queue_.data(), stdin_queue_.size());
  if (put > 0) stdin_queue_.erase(stdin_queue_.begin(), stdin_queue_.begin() + put);
  bool hung_up = events & (EPOLLHUP | EPOLLERR);
  bool broken = put < 0 && (hung_up || (errno != EAGAIN && errno != EINTR));
  if (broken) stdin_queue_.clear();
  // Only watched while it has something to write: a pipe without a reader would wake us for ever.
  if (bool waits = !stdin_queue_.empty(); waits != stdin_watched_) {
    waits ? watch(Source::standard_input, stdin_.get(), EPOLLOUT) : unwatch(stdin_.get());
    stdin_watched_ = waits;
  }
  if (broken || (stdin_ends_ && stdin_queue_.empty())) close_stdio(stdin_);
  for (auto& client : clients_) update_interest(*client);  // those that had to wait may go on
}

}  // namespace caisson
