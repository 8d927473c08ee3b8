#include "start_protocol.h"

#include <errno.h>

#include "protocol.h"
#include "sys.h"

namespace caisson {

namespace {

bool carries_fd(StartStep step) { return step == StartStep::process || step == StartStep::terminal; }

constexpr const char* kSections[] = {"plan",    "cgroup",   "network", "namespaces", "rootfs", "mounts",      "devices", "masks",    "pivot",
                                     "hostname", "sysctl", "terminal",   "limits", "credentials", "seccomp", "exec", "resolver", "log"};
constexpr size_t kMaxMessage = 32 * 1024;
constexpr size_t kMaxFailureText = 8 * 1024;

Failure protocol_failure(const char* what) { return Failure{.syscall = "recvmsg", .error = EPROTO, .path = what}; }

}  // namespace

const char* section_literal(std::string_view name) {
  for (const char* known : kSections) {
    if (name == known) return known;
  }
  return "unknown";
}

std::vector<uint8_t> encode_failure(const Failure& failure) {
  PayloadWriter out;
  out.text(failure.section).u32(failure.index).text(failure.syscall).u32(static_cast<uint32_t>(failure.error));
  out.text(std::string_view(failure.path).substr(0, kMaxFailureText));
  return {out.bytes().begin(), out.bytes().end()};
}

std::optional<Failure> decode_failure(std::span<const uint8_t> data) {
  PayloadReader in(data);
  Failure failure;
  failure.section = section_literal(in.text());
  failure.index = in.u32();
  failure.syscall = in.text();
  failure.error = static_cast<int>(in.u32());
  failure.path = in.text();
  if (!in.ok()) return std::nullopt;
  return failure;
}

Result<void> Channel::send(StartStep step, int fd) {
  uint8_t number = static_cast<uint8_t>(step);
  assert(number > last_);
  last_ = number;
  return sys::send_message(socket_.get(), {&number, 1}, fd);
}

void Channel::send_failure(const Failure& failure) {
  std::vector<uint8_t> message = encode_failure(failure);
  message.insert(message.begin(), static_cast<uint8_t>(StartStep::failure));
  (void)sys::send_message(socket_.get(), message);
}

Result<std::optional<StartMessage>> Channel::receive() {
  sys::Message received = TRY(sys::receive_message(socket_.get(), kMaxMessage));
  if (received.data.empty()) return std::optional<StartMessage>();
  uint8_t number = received.data[0];
  if (number <= last_ || number > static_cast<uint8_t>(StartStep::failure)) return protocol_failure("step out of order");
  last_ = number;
  StartMessage message{.step = static_cast<StartStep>(number), .fd = std::move(received.fd), .failure = {}};
  std::span<const uint8_t> payload = std::span(received.data).subspan(1);
  if (message.step == StartStep::failure) {
    std::optional<Failure> decoded = decode_failure(payload);
    if (!decoded) return protocol_failure("failure record");
    message.failure = std::move(*decoded);
  } else if (!payload.empty() || carries_fd(message.step) != static_cast<bool>(message.fd)) {
    return protocol_failure("payload");
  }
  return std::optional<StartMessage>(std::move(message));
}

}  // namespace caisson
