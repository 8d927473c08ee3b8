#include "source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "../core/sys.h"

namespace caisson {

Result<size_t> FdSource::fetch(void* buffer, size_t size) {
  if (kind_ == Kind::stream) return sys::read(fd_, buffer, size);
  ssize_t got;
  do got = ::pread(fd_, buffer, size, static_cast<off_t>(offset_));
  while (got < 0 && errno == EINTR);
  if (got < 0) return sys::last_failure("pread");
  offset_ += static_cast<size_t>(got);
  return static_cast<size_t>(got);
}

Result<size_t> FdSource::read(void* buffer, size_t size) {
  if (at_ == end_) {
    if (size >= buffer_.size()) return fetch(buffer, size);
    end_ = TRY(fetch(buffer_.data(), buffer_.size()));
    at_ = 0;
  }
  size_t part = std::min(size, end_ - at_);
  memcpy(buffer, buffer_.data() + at_, part);
  at_ += part;
  return part;
}

Result<void> FdSource::skip(uint64_t size) {
  size_t held = static_cast<size_t>(std::min<uint64_t>(size, end_ - at_));
  at_ += held;
  uint64_t left = size - held;
  if (kind_ == Kind::file) {
    offset_ += left;  // sizes are below 2^50: no overflow
    return {};
  }
  while (left > 0) {
    size_t got = TRY(fetch(buffer_.data(), static_cast<size_t>(std::min<uint64_t>(left, buffer_.size()))));
    if (got == 0) return {};
    left -= got;
  }
  return {};
}

Result<size_t> MemorySource::read(void* buffer, size_t size) {
  size_t part = std::min(size, left_.size());
  if (part > 0) memcpy(buffer, left_.data(), part);
  left_ = left_.subspan(part);
  return part;
}

Result<void> MemorySource::skip(uint64_t size) {
  left_ = left_.subspan(static_cast<size_t>(std::min<uint64_t>(size, left_.size())));
  return {};
}

}  // namespace caisson
