#include "ask.h"

#include <errno.h>

#include "sys.h"

namespace caisson {

namespace {

Result<Frame> next_frame(FrameReader& reader, int socket, Fd& passed) {
  Frame frame;
  for (;;) {
    FrameReader::Next next = reader.next(frame);
    if (next == FrameReader::Next::frame) return frame;
    if (next == FrameReader::Next::malformed) return Failure{.syscall = "recvmsg", .error = EPROTO};
    sys::Message message = TRY(sys::receive_message(socket, 4096));
    if (message.data.empty()) return Failure{.syscall = "recvmsg", .error = ECONNRESET};
    if (message.fd) passed = std::move(message.fd);
    reader.feed(message.data);
  }
}

}  // namespace

Result<Fd> ask_monitor(const std::string& control_socket, FrameType request) {
  Fd socket = TRY(sys::connect_unix(control_socket));
  Bytes question;
  append_frame(question, request);
  TRY(sys::write_all(socket.get(), question.data(), question.size(), control_socket));
  FrameReader reader;
  Fd passed;
  Frame reply = TRY(next_frame(reader, socket.get(), passed));
  if (reply.type != static_cast<uint16_t>(FrameType::hello)) return Failure{.syscall = "recvmsg", .error = EPROTO};
  // What has changed meanwhile is told to everybody.
  do reply = TRY(next_frame(reader, socket.get(), passed));
  while (reply.type == static_cast<uint16_t>(FrameType::changed));
  if (reply.type == static_cast<uint16_t>(FrameType::failure)) return Failure{.syscall = "pidfd_open", .error = ESRCH};
  if (!passed) return Failure{.syscall = "recvmsg", .error = EPROTO};
  return passed;
}

}  // namespace caisson
