// The files of a container's log: <state directory>/log/1, 2, 3 … A full one is followed by the next number and the oldest
// go. A chain of renames would outrun whoever follows; with numbers a reader sees what it has missed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "../core/fd.h"
#include "../core/result.h"

namespace caisson {

class LogSegments {
 public:
  // Goes on with the highest number that is there. maxBytes 0 = one segment without end; maxFiles 0 = nothing is written.
  static Result<LogSegments> open(int state_directory, uint64_t max_bytes, uint32_t max_files);

  // What still fits in the current segment.
  uint64_t room() const { return max_bytes_ > size_ ? max_bytes_ - size_ : 0; }
  // Whole lines. Never fails: a disk that takes no more costs lines, which are counted, and told once it takes them again.
  void write(std::string_view lines);
  // The next write starts a new segment, unless the current one is empty.
  void rotate();
  bool has_gap() const { return lost_bytes_ > 0; }

 private:
  Result<void> open_segment();
  void remove_old();
  // Bytes that went out as whole lines; what came after them is taken back.
  size_t write_lines(std::string_view lines);
  std::string gap_line() const;

  Fd directory_, file_;
  uint64_t max_bytes_ = UINT64_MAX, max_files_ = 0;
  uint64_t first_ = 1, number_ = 1, size_ = 0;
  uint64_t lost_bytes_ = 0;
  int error_ = 0;  // why they were lost
};

}  // namespace caisson
