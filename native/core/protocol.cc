#include "protocol.h"

#include <string.h>

#include <algorithm>

namespace caisson {

namespace {

uint32_t load_u32(const uint8_t* at) {
  return uint32_t{at[0]} | uint32_t{at[1]} << 8 | uint32_t{at[2]} << 16 | uint32_t{at[3]} << 24;
}

void append_u32(Bytes& out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<uint8_t>(value >> shift));
}

}  // namespace

PayloadWriter& PayloadWriter::u32(uint32_t value) {
  append_u32(bytes_, value);
  return *this;
}

PayloadWriter& PayloadWriter::text(std::string_view value) {
  append_u32(bytes_, static_cast<uint32_t>(value.size()));
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  return *this;
}

uint32_t PayloadReader::u32() {
  if (rest_.size() < 4) {
    ok_ = false;
    return 0;
  }
  uint32_t value = load_u32(rest_.data());
  rest_ = rest_.subspan(4);
  return value;
}

std::string PayloadReader::text() {
  uint32_t size = u32();
  if (!ok_ || size > rest_.size()) {
    ok_ = false;
    return {};
  }
  std::string value(rest_.begin(), rest_.begin() + size);
  rest_ = rest_.subspan(size);
  return value;
}

void append_frame(Bytes& out, FrameType type, std::span<const uint8_t> payload) {
  assert(payload.size() <= MAX_PAYLOAD_BYTES);
  append_u32(out, static_cast<uint32_t>(payload.size()));
  append_u32(out, static_cast<uint16_t>(type));
  out.insert(out.end(), payload.begin(), payload.end());
}

void append_failure(Bytes& out, const Failure& failure) {
  // Paths end at PATH_MAX; whatever is longer must not break the frame.
  std::string_view path = std::string_view(failure.path).substr(0, MAX_PAYLOAD_BYTES / 2);
  PayloadWriter payload;
  payload.text(failure.section).u32(failure.index).text(failure.syscall);
  payload.u32(static_cast<uint32_t>(failure.error)).text(path);
  append_frame(out, FrameType::failure, payload.bytes());
}

void append_exited(Bytes& out, const Exit& exit) {
  PayloadWriter payload;
  payload.u32(exit.code).u32(exit.signal).u32(exit.oom_killed ? 1 : 0);
  append_frame(out, FrameType::exited, payload.bytes());
}

void FrameReader::feed(std::span<const uint8_t> bytes) {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(start_));
  start_ = 0;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

FrameReader::Next FrameReader::next(Frame& frame) {
  size_t available = buffer_.size() - start_;
  if (available < FRAME_HEADER_BYTES) return Next::more;
  const uint8_t* header = buffer_.data() + start_;
  uint32_t size = load_u32(header);
  uint32_t type = load_u32(header + 4);
  if (size > MAX_PAYLOAD_BYTES || type > UINT16_MAX) return Next::malformed;
  if (available < FRAME_HEADER_BYTES + size) return Next::more;
  frame.type = static_cast<uint16_t>(type);
  frame.payload = {header + FRAME_HEADER_BYTES, size};
  start_ += FRAME_HEADER_BYTES + size;
  return Next::frame;
}

}  // namespace caisson
