#include "log_format.h"

namespace caisson::addon {

namespace {

struct Line {
  std::string_view time;
  int stream = 0;  // 0 stdout, 1 stderr
  bool partial = false;
  std::string_view content;  // without the newline
};

// "<RFC 3339> <stdout|stderr> <F|P> <content>"
Line parse(std::string_view text) {
  constexpr size_t TAIL = sizeof " stdout F " - 1;
  size_t space = text.size() > 30 && text[30] == ' ' ? 30 : text.find(' ');
  Line line;
  line.content = text;
  if (space == std::string_view::npos || text.size() < space + TAIL) return line;
  std::string_view tail = text.substr(space, TAIL);
  bool errors = tail.starts_with(" stderr ");
  bool known = errors || tail.starts_with(" stdout ");
  if (!known || tail[9] != ' ' || (tail[8] != 'F' && tail[8] != 'P')) return line;
  return {.time = text.substr(0, space), .stream = errors, .partial = tail[8] == 'P', .content = text.substr(space + TAIL)};
}

class Formatter {
 public:
  explicit Formatter(const LogFormat& format) : format_(format) {}

  FormattedLog run(std::string_view input) {
    log_.output[0].reserve(input.size() + input.size() / 2);
    size_t at = 0;
    while (const void* newline = memchr(input.data() + at, '\n', input.size() - at)) {
      size_t end = static_cast<size_t>(static_cast<const char*>(newline) - input.data());
      take(parse(input.substr(at, end - at)), at);
      at = end + 1;
      if (open_ > 0 && at - log_.consumed > MAX_OPEN_BYTES) close_all();
      if (open_ == 0) log_.consumed = at;
    }
    if (format_.final) close_all();
    if (open_ == 0) {
      log_.consumed = at;
    } else {
      for (int i = 0; i < 2; i++) log_.output[i].truncate(checkpoint_[i]);
    }
    return std::move(log_);
  }

 private:
  // A stream's line whose end has not come yet.
  struct Open {
    bool open = false;
    bool wanted = false;
    std::string text;
  };

  void take(const Line& line, size_t at) {
    Open& open = streams_[line.stream];
    if (!line.partial && !open.open) {
      if (!wanted(line.time)) return;
      Output& out = output_of(line.stream);
      head(out, line.time);
      out.append(line.content);
      out.append("\n");
      return;
    }
    if (!open.open) begin(open, line, at);
    if (open.wanted) open.text.append(line.content);
    if (!line.partial) close(line.stream);
  }

  void begin(Open& open, const Line& line, size_t at) {
    if (open_++ == 0) {
      log_.consumed = at;
      for (int i = 0; i < 2; i++) checkpoint_[i] = log_.output[i].size();
    }
    open.open = true;
    open.wanted = wanted(line.time);
    Output text;
    if (open.wanted) head(text, line.time);
    open.text = text.view();
  }

  void close(int stream) {
    Open& open = streams_[stream];
    open_--;
    open.open = false;
    if (!open.wanted) return;
    output_of(stream).append(open.text);
    output_of(stream).append("\n");
  }

  void close_all() {
    for (int stream = 0; stream < 2; stream++) {
      if (streams_[stream].open) close(stream);
    }
  }

  bool wanted(std::string_view time) const {
    if (!format_.since.empty() && time < format_.since) return false;
    return format_.until.empty() || time <= format_.until;
  }

  void head(Output& out, std::string_view time) const {
    out.append(format_.prefix);
    if (!format_.timestamps || time.empty()) return;
    out.append(time);
    out.append(" ");
  }

  Output& output_of(int stream) { return log_.output[format_.separate ? stream : 0]; }

  const LogFormat& format_;
  FormattedLog log_;
  Open streams_[2];
  int open_ = 0;             // how many of them are open
  size_t checkpoint_[2] = {};  // sizes of the outputs when the first of them was opened
};

}  // namespace

void Output::grow(size_t more) {
  size_t capacity = std::max(size_ + more, capacity_ * 2);
  char* data = static_cast<char*>(realloc(data_.get(), capacity));
  if (data == nullptr) abort();
  (void)data_.release();
  data_.reset(data);
  capacity_ = capacity;
}

FormattedLog format_log(std::string_view input, const LogFormat& format) { return Formatter(format).run(input); }

}  // namespace caisson::addon
