// Where an archive's bytes come from, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "../core/result.h"

namespace caisson {

class Source {
 public:
  virtual ~Source() = default;
  // Up to `size` bytes; 0 = the end.
  virtual Result<size_t> read(void* buffer, size_t size) = 0;
  // Passes over `size` bytes; the end on the way is noticed by the next read.
  virtual Result<void> skip(uint64_t size) = 0;
};

// A pipe or socket, or a file from its start, whose descriptor is borrowed. A file is skipped in without being read.
class FdSource final : public Source {
 public:
  enum class Kind { stream, file };
  FdSource(int fd, Kind kind) : fd_(fd), kind_(kind) {}
  Result<size_t> read(void* buffer, size_t size) override;
  Result<void> skip(uint64_t size) override;

 private:
  Result<size_t> fetch(void* buffer, size_t size);

  int fd_;
  Kind kind_;
  uint64_t offset_ = 0;  // of the file, after what is in the buffer
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(256 << 10);
  size_t at_ = 0, end_ = 0;
};

class MemorySource final : public Source {
 public:
  explicit MemorySource(std::span<const uint8_t> bytes) : left_(bytes) {}
  Result<size_t> read(void* buffer, size_t size) override;
  Result<void> skip(uint64_t size) override;

 private:
  std::span<const uint8_t> left_;
};

}  // namespace caisson
