// The control socket: connections, and the requests they bring. Whatever a peer sends can at most end its own connection.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "../core/fd.h"
#include "../core/protocol.h"
#include "../core/result.h"

namespace caisson {

// A request whose fields have been read; `type` is one that a client may send.
struct Request {
  FrameType type;
  uint32_t first = 0;   // signal: number; stop: signal; attach: bits; resize: rows
  uint32_t second = 0;  // stop: grace in ms; resize: columns
  std::span<const uint8_t> data;  // stdin_data
};
inline constexpr uint32_t ATTACH_STDIN = 1, ATTACH_OUTPUT = 2, ATTACH_HOLD = 4, ATTACH_ONCE = 8;

// None: malformed.
std::optional<Request> decode_request(const Frame& frame);

// One connection, non-blocking. What does not go out at once is queued.
class Client {
 public:
  explicit Client(Fd socket) : socket_(std::move(socket)) {}

  int fd() const { return socket_.get(); }
  FrameReader& frames() { return frames_; }
  // Reads once, through `buffer`. False: the peer has gone.
  bool receive(std::span<char> buffer);
  // Appends frames to what goes out: `append_frame(client.out(), …)`, then flush.
  Bytes& out() { return out_; }
  // A frame with a descriptor, behind everything else.
  void send_descriptor(FrameType type, int fd);
  // Sends what goes without waiting.
  void flush();
  // As flush, but waits up to `timeout_ms` for the peer; 0: as long as it is there.
  void flush_waiting(int timeout_ms);
  size_t queued() const { return out_.size(); }
  // Broken, stalled or malformed: to be closed.
  bool dead() const { return dead_; }
  void give_up() { dead_ = true; }

  bool attached_stdin = false, attached_output = false;
  bool holds = false;       // the container waits for this peer, however slowly it reads
  bool ends_stdin = false;  // end of file for the container when this peer goes

 private:
  Fd socket_;
  FrameReader frames_;
  Bytes out_;
  bool dead_ = false;
};

// control.sock in the run directory, mode 0600, listening.
Result<Fd> open_control_socket(int run_directory);
// Next connection of a peer with our uid or root's; none when there is no (further) one.
std::unique_ptr<Client> accept_client(int listener);

}  // namespace caisson
