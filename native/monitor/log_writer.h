// A container's output as CRI log lines: "<RFC 3339> <stdout|stderr> <F|P> <content>". All lines of one read have one time.
#pragma once

#include <string>
#include <string_view>

#include "log_segments.h"
#include "page_buffer.h"

namespace caisson {

enum class Stream : uint8_t { standard_output, standard_error };

class LogWriter {
 public:
  explicit LogWriter(LogSegments segments) : segments_(std::move(segments)) {}

  // What one read has brought. Lines go to the file before it returns; a line without end is held.
  void append(Stream stream, std::string_view data);
  // What is held goes out as partial lines (tag P); says again what could not be written; frees memory.
  void settle();
  // There is something for settle to do.
  bool unsettled() const;

 private:
  void put(char tag, std::string_view held, std::string_view content);
  void make_room(size_t size);
  void flush();

  LogSegments segments_;
  PageBuffer buffer_{BUFFER_BYTES};
  size_t used_ = 0;
  size_t limit_ = 0;      // of used_: end of the buffer or of the segment
  std::string held_[2];   // by stream; at most MAX_LINE_BYTES
  char head_[40];         // time, stream, tag

  static constexpr size_t MAX_LINE_BYTES = 16 * 1024;
  static constexpr size_t BUFFER_BYTES = 256 * 1024;
};

}  // namespace caisson
