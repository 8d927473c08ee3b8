// Control protocol: twin of src/monitor/protocol.ts, which describes it; test/native/protocol.test.ts compares the numbers.
// One frame is: u32 length of payload, u16 type, u16 zero, payload. Little-endian; text = u32 length + UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "result.h"

namespace caisson {

inline constexpr uint32_t PROTOCOL_VERSION = 1;
inline constexpr size_t MAX_PAYLOAD_BYTES = 65536;
inline constexpr size_t FRAME_HEADER_BYTES = 8;

enum class FrameType : uint16_t {
  commit = 1,
  go = 2,
  wait = 3,
  signal = 4,
  stop = 5,
  attach = 6,
  stdin_data = 7,
  resize = 8,
  pidfd = 9,
  pause = 10,
  unpause = 11,
  network = 12,
  hello = 101,
  created = 102,
  running = 103,
  exited = 104,
  failure = 105,
  ok = 106,
  stdout_data = 107,
  stderr_data = 108,
  pidfd_reply = 109,
  changed = 110,
  network_reply = 111,
};

enum class RunState : uint32_t { building = 0, created = 1, running = 2, exited = 3, restarting = 4, paused = 5 };
enum class HealthState : uint32_t { none = 0, starting = 1, healthy = 2, unhealthy = 3 };

// `stop` with these values means what the plan says.
inline constexpr uint32_t PLANNED_SIGNAL = 0;
inline constexpr uint32_t PLANNED_GRACE = 0xffffffff;

// fds of `caisson-monitor monitor`.
namespace monitor_fd {
inline constexpr int startup = 3, state_directory = 4, run_directory = 5, alive = 6, network_root = 7, first_listener = 8;
}

struct Exit {
  uint32_t code = 0;    // 128 + signal where a signal ended it
  uint32_t signal = 0;  // or 0
  bool oom_killed = false;
};

using Bytes = std::vector<uint8_t>;

// Payload of a frame, field by field.
class PayloadWriter {
 public:
  PayloadWriter& u32(uint32_t value);
  PayloadWriter& text(std::string_view value);
  std::span<const uint8_t> bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

// Reads a payload that a peer wrote. Past the end, every field is 0 or empty and ok() is false.
class PayloadReader {
 public:
  explicit PayloadReader(std::span<const uint8_t> payload) : rest_(payload) {}
  uint32_t u32();
  std::string text();
  // Everything was there, and nothing is left.
  bool ok() const { return ok_ && rest_.empty(); }

 private:
  std::span<const uint8_t> rest_;
  bool ok_ = true;
};

// Appends a whole frame; the payload has at most MAX_PAYLOAD_BYTES.
void append_frame(Bytes& out, FrameType type, std::span<const uint8_t> payload = {});
void append_failure(Bytes& out, const Failure& failure);
void append_exited(Bytes& out, const Exit& exit);

struct Frame {
  uint16_t type = 0;  // a FrameType, or a number we do not know
  std::span<const uint8_t> payload;
};

// Cuts a byte stream into frames, as bytes come.
class FrameReader {
 public:
  enum class Next { frame, more, malformed };
  void feed(std::span<const uint8_t> bytes);
  // `frame` stays valid until the next call of feed. malformed is final.
  Next next(Frame& frame);

 private:
  Bytes buffer_;
  size_t start_ = 0;
};

}  // namespace caisson
