#include "log_writer.h"

#include <string.h>

#include <algorithm>

#include "clock.h"

namespace caisson {

namespace {

constexpr size_t TIME_BYTES = 30, TAG_AT = 38;
constexpr std::string_view NAMES[] = {" stdout F ", " stderr F "};

}  // namespace

void LogWriter::append(Stream stream, std::string_view data) {
  std::string& held = held_[static_cast<size_t>(stream)];
  memcpy(head_, Stamp::now().text().data(), TIME_BYTES);
  memcpy(head_ + TIME_BYTES, NAMES[static_cast<size_t>(stream)].data(), sizeof head_ - TIME_BYTES);
  limit_ = std::min<uint64_t>(BUFFER_BYTES, segments_.room());
  while (!data.empty()) {
    size_t room = MAX_LINE_BYTES - held.size();
    size_t end = data.substr(0, room + 1).find('\n');
    if (end != std::string_view::npos) {
      put('F', held, data.substr(0, end));
      held.clear();
      data.remove_prefix(end + 1);
    } else if (data.size() > room) {
      put('P', held, data.substr(0, room));
      held.clear();
      data.remove_prefix(room);
    } else {
      held.append(data);
      data = {};
    }
  }
  flush();
}

void LogWriter::put(char tag, std::string_view held, std::string_view content) {
  size_t size = sizeof head_ + held.size() + content.size() + 1;
  if (used_ + size > limit_) make_room(size);
  char* at = buffer_.data() + used_;
  memcpy(at, head_, sizeof head_);
  at[TAG_AT] = tag;
  at += sizeof head_;
  if (!held.empty()) at = std::copy(held.begin(), held.end(), at);
  memcpy(at, content.data(), content.size());
  at[content.size()] = '\n';
  used_ += size;
}

void LogWriter::make_room(size_t size) {
  flush();
  if (size > segments_.room()) segments_.rotate();
  // A line longer than a segment gets one of its own.
  limit_ = std::clamp<uint64_t>(segments_.room(), size, BUFFER_BYTES);
}

void LogWriter::flush() {
  if (used_ > 0) segments_.write({buffer_.data(), used_});
  used_ = 0;
}

void LogWriter::settle() {
  for (Stream stream : {Stream::standard_output, Stream::standard_error}) {
    std::string& held = held_[static_cast<size_t>(stream)];
    if (held.empty()) continue;
    append(stream, {});
    put('P', held, {});
    flush();
    held = {};
  }
  if (segments_.has_gap()) segments_.write({});
  buffer_.release();
}

bool LogWriter::unsettled() const { return !held_[0].empty() || !held_[1].empty() || segments_.has_gap(); }

}  // namespace caisson
