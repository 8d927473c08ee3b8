// Extended headers (POSIX.1-2001): records `<length> <key>=<value>\n` that overrule fields of the header that follows.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tar_entry.h"

namespace caisson {

// A key that stands several times has its last value, but for those of sparse format 0.0, which are a list: `sparse`.
struct Pax {
  std::map<std::string, std::string, std::less<>> values;
  std::vector<Extent> sparse;

  // Empty if absent.
  std::string_view text(std::string_view key) const;
  // An empty value takes a record back.
  bool has(std::string_view key) const { return !text(key).empty(); }
};

Result<Pax> parse_pax(std::string_view data);
// Decimal, no sign.
Result<uint64_t> parse_decimal(std::string_view text, std::string_view what);
// Seconds with a fraction, possibly negative.
Result<struct timespec> parse_pax_time(std::string_view text);
// `offset,size,offset,size…` of sparse format 0.1.
Result<std::vector<Extent>> parse_sparse_map(std::string_view text);

}  // namespace caisson
