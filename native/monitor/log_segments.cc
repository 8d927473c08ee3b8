#include "log_segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "../core/sys.h"
#include "clock.h"

namespace caisson {

namespace {

struct Numbers {
  uint64_t first = 0, last = 0;  // 0: there is none
};

Numbers find_segments(int directory) {
  Numbers found;
  int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::unique_ptr<DIR, int (*)(DIR*)> list(copy < 0 ? nullptr : fdopendir(copy), closedir);
  if (!list) return found;
  while (const struct dirent* entry = readdir(list.get())) {
    uint64_t number = strtoull(entry->d_name, nullptr, 10);
    if (number == 0) continue;
    found.first = found.first == 0 ? number : std::min(found.first, number);
    found.last = std::max(found.last, number);
  }
  return found;
}

}  // namespace

Result<LogSegments> LogSegments::open(int state_directory, uint64_t max_bytes, uint32_t max_files) {
  Result<void> made = sys::mkdirat(state_directory, "log", 0700);
  if (!made && made.failure().error != EEXIST) return std::move(made).failure();
  LogSegments segments;
  if (max_files == 0) return segments;
  segments.directory_ = TRY(sys::openat(state_directory, "log", O_RDONLY | O_DIRECTORY));
  segments.max_bytes_ = max_bytes == 0 ? UINT64_MAX : max_bytes;
  segments.max_files_ = max_files;
  Numbers found = find_segments(segments.directory_.get());
  segments.first_ = std::max<uint64_t>(found.first, 1);
  segments.number_ = std::max<uint64_t>(found.last, 1);
  TRY(segments.open_segment());
  segments.remove_old();
  return segments;
}

Result<void> LogSegments::open_segment() {
  std::string name = std::to_string(number_);
  file_ = TRY(sys::openat(directory_.get(), name, O_WRONLY | O_APPEND | O_CREAT, 0600));
  size_ = static_cast<uint64_t>(TRY(sys::fstat(file_.get(), name)).st_size);
  return {};
}

void LogSegments::remove_old() {
  for (; first_ + max_files_ <= number_; first_++) (void)sys::unlinkat(directory_.get(), std::to_string(first_), 0);
}

void LogSegments::rotate() {
  if (size_ == 0) return;
  file_.reset();
  number_++;
  size_ = 0;
  remove_old();  // first: on a full disk this makes the room
}

void LogSegments::write(std::string_view lines) {
  if (max_files_ == 0) return;
  if (!file_) {
    Result<void> opened = open_segment();
    if (!opened) {
      error_ = opened.failure().error;
      lost_bytes_ += lines.size();
      return;
    }
  }
  if (lost_bytes_ == 0) {
    lost_bytes_ = lines.size() - write_lines(lines);
    return;
  }
  // All or nothing: a gap line that fits where the lines do not would come again and again.
  std::string told = gap_line().append(lines);
  uint64_t before = size_;
  if (write_lines(told) == told.size()) {
    lost_bytes_ = 0;
    return;
  }
  (void)!ftruncate(file_.get(), static_cast<off_t>(before));
  size_ = before;
  lost_bytes_ += lines.size();
}

size_t LogSegments::write_lines(std::string_view lines) {
  size_t done = 0;
  while (done < lines.size()) {
    ssize_t put = ::write(file_.get(), lines.data() + done, lines.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      error_ = errno;
      break;
    }
    done += static_cast<size_t>(put);
  }
  if (done < lines.size()) {
    size_t end = lines.substr(0, done).rfind('\n');
    done = end == std::string_view::npos ? 0 : end + 1;
    (void)!ftruncate(file_.get(), static_cast<off_t>(size_ + done));
  }
  size_ += done;
  return done;
}

std::string LogSegments::gap_line() const {
  bool full = error_ == ENOSPC || error_ == EDQUOT;
  std::string line(Stamp::now().text());
  line += " stderr F caisson: " + std::to_string(lost_bytes_) + " bytes of log lost: ";
  return line.append(full ? "no space left" : strerror(error_)) += "\n";
}

}  // namespace caisson
