// Turns CRI log lines into what `logs` prints. In JavaScript this took four times as long as reading the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace caisson::addon {

struct LogFormat {
  std::string prefix;       // before each line
  bool timestamps = false;  // between prefix and content
  std::string since;        // RFC 3339 bounds, compared as text; empty = none
  std::string until;
  bool separate = false;    // stderr lines go to `output[1]`
  bool final = false;       // nothing follows the input: lines without their end are given out too
};

// Growing bytes, given away to a JavaScript Buffer without a copy. (std::string would clear what it then overwrites.)
class Output {
 public:
  void append(std::string_view text) {
    if (text.size() > capacity_ - size_) grow(text.size());
    memcpy(data_.get() + size_, text.data(), text.size());
    size_ += text.size();
  }
  void reserve(size_t capacity) {
    if (capacity > capacity_) grow(capacity - size_);
  }
  void truncate(size_t size) { size_ = size; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_.get(), size_}; }
  // malloc'ed; null when empty.
  char* release() {
    size_ = capacity_ = 0;
    return data_.release();
  }

 private:
  void grow(size_t more);
  struct Free {
    void operator()(char* data) const { free(data); }
  };
  std::unique_ptr<char, Free> data_;
  size_t size_ = 0, capacity_ = 0;
};

struct FormattedLog {
  Output output[2];     // stdout, stderr
  size_t consumed = 0;  // bytes of input that need not come again
};

// A line that the monitor had to cut (tag P) is put together again; one whose end is not in the input yet is left for the
// next call, unless it is longer than MAX_OPEN_BYTES. What is not a CRI line comes out as it is.
inline constexpr size_t MAX_OPEN_BYTES = 256 * 1024;
FormattedLog format_log(std::string_view input, const LogFormat& format);

}  // namespace caisson::addon
