#include "pax.h"

#include <charconv>

namespace caisson {

namespace {

constexpr size_t MAX_RECORDS = 100'000;

template <class T>
Result<T> parse_number(std::string_view text, std::string_view what) {
  T value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return refused("", std::string(what) + " is '" + std::string(text.substr(0, 40)) + "'");
  }
  return value;
}

// Format 0.0 gives each run in two records of their own.
Result<bool> take_sparse(Pax& pax, std::string_view key, std::string_view value) {
  bool offset = key == "GNU.sparse.offset";
  if (!offset && key != "GNU.sparse.numbytes") return false;
  uint64_t number = TRY(parse_decimal(value, "a sparse map"));
  if (offset) pax.sparse.push_back(Extent{.offset = number});
  else if (pax.sparse.empty()) return refused("", "a sparse map begins without an offset");
  else pax.sparse.back().size = number;
  return true;
}

}  // namespace

std::string_view Pax::text(std::string_view key) const {
  auto found = values.find(key);
  return found == values.end() ? std::string_view() : std::string_view(found->second);
}

Result<uint64_t> parse_decimal(std::string_view text, std::string_view what) { return parse_number<uint64_t>(text, what); }

Result<Pax> parse_pax(std::string_view data) {
  Pax pax;
  for (size_t count = 0; !data.empty(); count++) {
    if (count == MAX_RECORDS) return refused("", "an extended header has too many records");
    size_t blank = data.find(' ');
    if (blank == std::string_view::npos || blank > 10) return refused("", "a PAX record has no length");
    uint64_t length = TRY(parse_decimal(data.substr(0, blank), "the length of a PAX record"));
    if (length < blank + 4 || length > data.size() || data[length - 1] != '\n') {
      return refused("", "a PAX record has a wrong length");
    }
    std::string_view record = data.substr(blank + 1, length - blank - 2);
    size_t equals = record.find('=');
    if (equals == 0 || equals == std::string_view::npos) return refused("", "a PAX record has no key");
    std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (!TRY(take_sparse(pax, key, value))) pax.values.insert_or_assign(std::string(key), std::string(value));
    data.remove_prefix(length);
  }
  return pax;
}

Result<struct timespec> parse_pax_time(std::string_view text) {
  size_t point = text.find('.');
  struct timespec time = {};
  time.tv_sec = TRY(parse_number<int64_t>(text.substr(0, point), "a time"));
  if (point == std::string_view::npos) return time;
  std::string digits(text.substr(point + 1, 9));
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return refused("", "a time has a wrong fraction");
  digits.append(9 - digits.size(), '0');
  long nanoseconds = static_cast<long>(TRY(parse_decimal(digits, "a time")));
  if (text.starts_with('-') && nanoseconds > 0) {
    time.tv_sec--;
    nanoseconds = 1'000'000'000 - nanoseconds;
  }
  time.tv_nsec = nanoseconds;
  return time;
}

Result<std::vector<Extent>> parse_sparse_map(std::string_view text) {
  std::vector<Extent> map;
  while (!text.empty()) {
    size_t first = text.find(',');
    if (first == std::string_view::npos) return refused("", "a sparse map has an offset without a size");
    size_t second = std::min(text.find(',', first + 1), text.size());
    Extent run;
    run.offset = TRY(parse_decimal(text.substr(0, first), "a sparse map"));
    run.size = TRY(parse_decimal(text.substr(first + 1, second - first - 1), "a sparse map"));
    map.push_back(run);
    text.remove_prefix(std::min(second + 1, text.size()));
  }
  return map;
}

}  // namespace caisson
