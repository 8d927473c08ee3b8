#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include "../core/sys.h"

namespace caisson {

namespace {

constexpr int BACKLOG = 64;

bool is_trusted(int socket) {
  struct ucred peer = {};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

}  // namespace

std::optional<Request> decode_request(const Frame& frame) {
  Request request{.type = static_cast<FrameType>(frame.type), .data = {}};
  PayloadReader fields(frame.payload);
  switch (request.type) {
    case FrameType::commit:
    case FrameType::go:
    case FrameType::wait:
    case FrameType::pidfd:
    case FrameType::pause:
    case FrameType::unpause:
    case FrameType::network:
      break;
    case FrameType::stdin_data:
      request.data = frame.payload;
      return request;
    case FrameType::signal:
    case FrameType::attach:
      request.first = fields.u32();
      break;
    case FrameType::stop:
    case FrameType::resize:
      request.first = fields.u32();
      request.second = fields.u32();
      break;
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
      return std::nullopt;
  }
  bool known = frame.type >= 1 && frame.type <= static_cast<uint16_t>(FrameType::network);
  if (!known || !fields.ok()) return std::nullopt;
  return request;
}

bool Client::receive(std::span<char> buffer) {
  ssize_t got = recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  frames_.feed({reinterpret_cast<const uint8_t*>(buffer.data()), static_cast<size_t>(got)});
  return got > 0;
}

void Client::flush() {
  size_t done = 0;
  while (done < out_.size() && !dead_) {
    ssize_t put = send(fd(), out_.data() + done, out_.size() - done, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) break;
    if (put < 0) dead_ = true;
    done += put > 0 ? static_cast<size_t>(put) : 0;
  }
  out_.erase(out_.begin(), out_.begin() + static_cast<ptrdiff_t>(done));
  if (out_.empty()) out_ = {};
}

void Client::flush_waiting(int timeout_ms) {
  struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
  setsockopt(fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  fcntl(fd(), F_SETFL, 0);
  flush();
}

void Client::send_descriptor(FrameType type, int descriptor) {
  flush();
  Bytes frame;
  append_frame(frame, type);
  if (!out_.empty() || !sys::send_message(fd(), frame, descriptor)) dead_ = true;
}

// The name may be longer than a socket address: it is reached through the directory's descriptor.
Result<Fd> open_control_socket(int run_directory) {
  Fd listener = TRY(sys::check_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  std::string path = "/proc/self/fd/" + std::to_string(run_directory) + "/control.sock";
  memcpy(address.sun_path, path.data(), path.size());
  (void)sys::unlinkat(run_directory, "control.sock", 0);  // of a monitor that was killed
  mode_t before = umask(0177);
  int bound = bind(listener.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof address);
  umask(before);
  TRY(sys::check(bound, "bind", "control.sock"));
  TRY(sys::check(listen(listener.get(), BACKLOG), "listen", "control.sock"));
  return listener;
}

std::unique_ptr<Client> accept_client(int listener) {
  for (;;) {
    Fd socket(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return nullptr;
    if (is_trusted(socket.get())) return std::make_unique<Client>(std::move(socket));
  }
}

}  // namespace caisson
