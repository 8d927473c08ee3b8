// The protocol between the parent (parent.cc, relay.cc) and the child that becomes the container's process, over one
// SOCK_SEQPACKET pair.
//
//   parent                                child
//     │ ─────────────── clone3 ───────────► │
//     │ ◄───────── process, pidfd ───────── │   only in exec: it is not the child that the parent made
//     │                                     │ sections of child.cc
//     │ ◄───── terminal, pty master ─────── │   only with a terminal
//     │                                     │ the other sections: credentials, cwd, program found
//     │ ◄──────────── created ───────────── │   it stands at the barrier
//     │ prlimit                             │
//     │ ───────────────  go ──────────────► │
//     │                                     │ seccomp, execve: closes the socket
//     │ ◄────────── end of file ─────────── │   it runs
//
//   failure may come at any time instead; the child exits after it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "fd.h"
#include "result.h"

namespace caisson {

// The order of declaration is the order of the protocol; both sides hold to it (Channel).
enum class StartStep : uint8_t { process = 1, terminal = 2, created = 3, go = 4, failure = 5 };

struct StartMessage {
  StartStep step{};
  Fd fd;            // with `process` its pidfd, with `terminal` the pty master
  Failure failure;  // with `failure`
};

// One end. It sees what is sent and what is received, so either side can tell when a step comes twice or too late:
// received that way it is EPROTO, sending it is an assertion.
class Channel {
 public:
  // done: the last step that has passed already, where the socket changed hands.
  explicit Channel(Fd socket, StartStep done = {}) : socket_(std::move(socket)), last_(static_cast<uint8_t>(done)) {}
  Result<void> send(StartStep step, int fd = -1);
  // Last message of the child. Errors are of no use to it any more.
  void send_failure(const Failure& failure);
  // Nothing: end of file.
  Result<std::optional<StartMessage>> receive();
  int fd() const { return socket_.get(); }
  Fd take() { return std::move(socket_); }

 private:
  Fd socket_;
  uint8_t last_ = 0;
};

// A failure to bytes and back; nothing for malformed bytes.
std::vector<uint8_t> encode_failure(const Failure& failure);
std::optional<Failure> decode_failure(std::span<const uint8_t> data);
// The literal for a section's name; "unknown" for one that no section has.
const char* section_literal(std::string_view name);

}  // namespace caisson
