#include "http_status.h"

namespace caisson {

namespace {

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

}  // namespace

std::optional<int> http_status(std::string_view response) {
  constexpr std::string_view VERSION = "HTTP/1.";
  constexpr size_t STATUS_AT = VERSION.size() + 2, LINE = STATUS_AT + 3;
  size_t end = response.find('\n');
  if (end == std::string_view::npos || end < LINE || !response.starts_with(VERSION)) return std::nullopt;
  std::string_view line = response.substr(0, end);
  if (!is_digit(line[VERSION.size()]) || line[STATUS_AT - 1] != ' ') return std::nullopt;
  int status = 0;
  for (char digit : line.substr(STATUS_AT, 3)) {
    if (!is_digit(digit)) return std::nullopt;
    status = status * 10 + (digit - '0');
  }
  bool ends = line.size() == LINE || line[LINE] == ' ' || line[LINE] == '\r';
  if (!ends || status < 100) return std::nullopt;
  return status;
}

}  // namespace caisson
