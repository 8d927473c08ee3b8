// Reader: bounded decoding of what src/native/encode.ts writes. The bytes come from our own file, yet nothing here trusts
// them: every length is checked against a limit and against what is left, before anything is allocated. The first mistake
// sticks; later reads give empty values, so that decoders need no checks of their own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "result.h"

namespace caisson {

constexpr size_t kMaxText = 128 * 1024;
constexpr size_t kMaxBytes = 1024 * 1024;
constexpr size_t kMaxItems = 65'536;
constexpr size_t kMaxPlan = 16 * 1024 * 1024;  // a whole file

class Reader {
 public:
  explicit Reader(std::span<const uint8_t> data) : data_(data) {}

  void u8(uint8_t& out, const char* field) { number(out, field); }
  void u32(uint32_t& out, const char* field) { number(out, field); }
  void i32(int32_t& out, const char* field) { number(out, field); }
  void u64(uint64_t& out, const char* field) { number(out, field); }
  void boolean(bool& out, const char* field) {
    uint8_t byte = 0;
    number(byte, field);
    if (byte > 1) fail(field);
    out = byte == 1;
  }
  template <class Enum>
  void enumeration(Enum& out, uint8_t count, const char* field) {
    uint8_t byte = 0;
    number(byte, field);
    if (byte >= count) return fail(field);
    out = static_cast<Enum>(byte);
  }
  void text(std::string& out, const char* field) {
    std::span<const uint8_t> content = block(kMaxText, field);
    if (std::ranges::find(content, 0) != content.end()) return fail(field);
    out.assign(content.begin(), content.end());
  }
  void bytes(std::vector<uint8_t>& out, const char* field) {
    std::span<const uint8_t> content = block(kMaxBytes, field);
    out.assign(content.begin(), content.end());
  }
  // item_size: the least that one item takes on the wire, so that a count cannot make us allocate what is not there.
  template <class Item, class Read>
  void list(std::vector<Item>& out, size_t item_size, const char* field, Read read) {
    uint32_t count = 0;
    number(count, field);
    if (count > kMaxItems || count > (data_.size() - at_) / item_size) return fail(field);
    out.resize(count);
    for (size_t i = 0; i < count && !failed_; i++) read(out[i]);
  }

  void fail(const char* field) {
    if (failed_ == nullptr) failed_ = field;
    at_ = data_.size();
  }
  // Everything was read and nothing is left.
  Result<void> finish() const;
  // Magic and version in front of each file.
  void header(uint32_t magic, uint32_t version);

 private:
  template <class Number>
  void number(Number& out, const char* field) {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    if (data_.size() - at_ < sizeof out) return fail(field);
    memcpy(&out, data_.data() + at_, sizeof out);
    at_ += sizeof out;
  }
  std::span<const uint8_t> block(size_t limit, const char* field);

  std::span<const uint8_t> data_;
  size_t at_ = 0;
  const char* failed_ = nullptr;
};

}  // namespace caisson
