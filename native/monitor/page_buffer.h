// A buffer whose memory exists only while it is used: a monitor that has nothing to do keeps none.
#pragma once

#include <stdlib.h>
#include <sys/mman.h>

#include <cstddef>

namespace caisson {

class PageBuffer {
 public:
  explicit PageBuffer(size_t size) : size_(size) {
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) abort();
    data_ = static_cast<char*>(memory);
  }
  PageBuffer(const PageBuffer&) = delete;
  PageBuffer& operator=(const PageBuffer&) = delete;
  ~PageBuffer() { munmap(data_, size_); }

  char* data() { return data_; }
  size_t size() const { return size_; }
  // Gives the pages back; the content is zero afterwards.
  void release() { madvise(data_, size_, MADV_DONTNEED); }

 private:
  char* data_;
  size_t size_;
};

}  // namespace caisson
