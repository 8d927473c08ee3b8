// A tar writer: ustar, with extended headers (POSIX.1-2001) for what does not fit it.
#pragma once

#include <string_view>
#include <vector>

#include "tar_entry.h"

namespace caisson {

class TarWriter {
 public:
  explicit TarWriter(int fd) : fd_(fd) { buffer_.reserve(CAPACITY); }

  // The header; `entry.size` bytes of content follow in pieces.
  Result<void> begin(const TarEntry& entry);
  Result<void> content(std::string_view bytes);
  // Fills the last block of that content.
  Result<void> end();
  // The end of the archive.
  Result<void> finish();

 private:
  static constexpr size_t CAPACITY = 64 << 10;

  Result<void> put(std::string_view bytes);
  Result<void> fill();
  Result<void> flush();

  int fd_;
  uint64_t written_ = 0;
  std::vector<char> buffer_;
};

}  // namespace caisson
