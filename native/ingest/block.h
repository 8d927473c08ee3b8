// A piece of a stream that several threads read and none changes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace caisson {

class Block {
 public:
  Block() = default;
  Block(std::unique_ptr<uint8_t[]> bytes, size_t size) : bytes_(std::move(bytes)), size_(size) {}
  size_t size() const { return size_; }
  std::span<const uint8_t> bytes() const { return {bytes_.get(), size_}; }

 private:
  std::shared_ptr<const uint8_t[]> bytes_;
  size_t size_ = 0;
};

}  // namespace caisson
