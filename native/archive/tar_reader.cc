#include "tar_reader.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <algorithm>

namespace caisson {

namespace {

constexpr size_t BLOCK = 512;
constexpr uint64_t MAX_EXTENSION = 1 << 20;
constexpr uint64_t MAX_SIZE = uint64_t{1} << 50;
constexpr size_t MAX_EXTENTS = 1 << 20;
constexpr char XATTR[] = "SCHILY.xattr.";

uint64_t padding_of(uint64_t size) { return (BLOCK - size % BLOCK) % BLOCK; }

std::string text_of(std::string_view field) { return std::string(field.substr(0, field.find('\0'))); }

// Octal text, or two's complement of 255 or 95 bits where the first bit is set (GNU).
Result<int64_t> number_of(std::string_view field, std::string_view what) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(field[i]); };
  if ((byte(0) & 0x80) == 0) {
    std::string_view text = field.substr(0, field.find('\0'));
    size_t first = text.find_first_not_of(' '), last = text.find_last_not_of(' ');
    if (first == std::string_view::npos) return int64_t{0};
    int64_t value = 0;
    for (char digit : text.substr(first, last - first + 1)) {
      if (digit < '0' || digit > '7') return refused("", std::string(what) + " is '" + std::string(text) + "'");
      value = value * 8 + (digit - '0');  // twelve digits at most
    }
    return value;
  }
  bool negative = (byte(0) & 0x40) != 0;
  uint64_t value = negative ? ~uint64_t{0} : 0;
  for (size_t i = 0; i < field.size(); i++) {
    uint8_t digit = i == 0 ? static_cast<uint8_t>(negative ? byte(0) : byte(0) & 0x7f) : byte(i);
    uint8_t spill = static_cast<uint8_t>(value >> 56);
    if (i >= 8 && spill != (negative ? 0xff : 0)) return refused("", std::string(what) + " is out of range");
    value = value << 8 | digit;
  }
  if (negative != (static_cast<int64_t>(value) < 0)) return refused("", std::string(what) + " is out of range");
  return static_cast<int64_t>(value);
}

Result<uint64_t> size_of(std::string_view field, std::string_view what) {
  int64_t value = TRY(number_of(field, what));
  if (value < 0 || static_cast<uint64_t>(value) > MAX_SIZE) return refused("", std::string(what) + " is out of range");
  return static_cast<uint64_t>(value);
}

std::optional<TarType> type_of(char flag) {
  switch (flag) {
    case '\0':
    case '0':
    case '7':
    case 'S': return TarType::file;
    case '1': return TarType::hardlink;
    case '2': return TarType::symlink;
    case '3': return TarType::character;
    case '4': return TarType::block;
    case '5': return TarType::directory;
    case '6': return TarType::fifo;
    default: return std::nullopt;
  }
}

Result<void> check_name(const std::string& name) {
  if (name.size() >= PATH_MAX || name.find('\0') != std::string::npos) {
    return refused(name.substr(0, 60), "has a name that no path can have");
  }
  return {};
}

Result<uint32_t> id_of(std::string_view from_pax, std::string_view field, std::string_view what) {
  uint64_t value = from_pax.empty() ? TRY(size_of(field, what)) : TRY(parse_decimal(from_pax, what));
  if (value >= UINT32_MAX) return refused("", std::string(what) + " is out of range");
  return static_cast<uint32_t>(value);
}

// Runs in order, apart, inside the file, and as much content as is stored.
Result<void> check_extents(const TarEntry& entry, uint64_t stored) {
  uint64_t end = 0, sum = 0;
  for (const Extent& run : entry.extents) {
    if (run.offset < end || run.offset > entry.size || run.size > entry.size - run.offset) {
      return refused(entry.name, "has a sparse map that does not fit it");
    }
    end = run.offset + run.size;
    sum += run.size;
  }
  if (sum != stored) return refused(entry.name, "has a sparse map that does not fit its content");
  return {};
}

}  // namespace

Failure refused(std::string_view name, std::string_view why) {
  return Failure{.section = "archive", .syscall = std::string(why), .error = EBADMSG, .path = std::string(name)};
}

bool is_refusal(const Failure& failure) { return failure.error == EBADMSG && std::string_view(failure.section) == "archive"; }

struct TarReader::Header {
  char bytes[BLOCK];

  std::string_view field(size_t at, size_t size) const { return {bytes + at, size}; }
  std::string text(size_t at, size_t size) const { return text_of(field(at, size)); }
  char flag() const { return bytes[156]; }
  bool is_ustar() const { return field(257, 6) == std::string_view("ustar\0", 6); }
  bool is_empty() const { return std::all_of(bytes, bytes + BLOCK, [](char c) { return c == 0; }); }

  // The sum of all bytes with its own field read as blanks. Old programs took char for signed.
  Result<void> check() const {
    int64_t sum = 8 * ' ', signed_sum = 8 * ' ';
    for (size_t i = 0; i < BLOCK; i++) {
      if (i >= 148 && i < 156) continue;
      sum += static_cast<uint8_t>(bytes[i]);
      signed_sum += static_cast<signed char>(bytes[i]);
    }
    int64_t said = TRY(number_of(field(148, 8), "a checksum"));
    if (said != sum && said != signed_sum) return refused("", "a header has the wrong checksum");
    return {};
  }

  std::string name() const {
    std::string prefix = is_ustar() ? text(345, 155) : "";
    return prefix.empty() ? text(0, 100) : prefix + "/" + text(0, 100);
  }
};

Result<void> TarReader::read_exactly(void* buffer, size_t size) {
  for (size_t done = 0; done < size;) {
    size_t got = TRY(source_.read(static_cast<char*>(buffer) + done, size - done));
    if (got == 0) return refused("", "it ends within an entry");
    done += got;
  }
  position_ += size;
  return {};
}

// false: the archive ended before the first byte of it.
Result<bool> TarReader::read_block(void* block) {
  size_t got = TRY(source_.read(block, BLOCK));
  if (got == 0) return false;
  position_ += got;
  if (got < BLOCK) TRY(read_exactly(static_cast<char*>(block) + got, BLOCK - got));
  return true;
}

Result<void> TarReader::finish_content() {
  uint64_t rest = left_ + padding_;
  TRY(source_.skip(rest));
  position_ += rest;
  left_ = padding_ = 0;
  return {};
}

Result<size_t> TarReader::read(void* buffer, size_t size) {
  size_t part = static_cast<size_t>(std::min<uint64_t>(size, left_));
  if (part == 0) return size_t{0};
  size_t got = TRY(source_.read(buffer, part));
  if (got == 0) return refused("", "it ends within an entry");
  left_ -= got;
  position_ += got;
  return got;
}

Result<void> TarReader::drain() {
  std::vector<uint8_t> rest(64 << 10);
  while (TRY(source_.read(rest.data(), rest.size())) > 0);
  return {};
}

Result<std::string> TarReader::extension(const Header& header) {
  uint64_t size = TRY(size_of(header.field(124, 12), "a size"));
  if (size > MAX_EXTENSION) return refused("", "an extension header is longer than 1 MiB");
  std::string data(size + padding_of(size), '\0');
  TRY(read_exactly(data.data(), data.size()));
  data.resize(size);
  return data;
}

Result<std::optional<TarEntry>> TarReader::next() {
  TRY(finish_content());
  Extensions extensions;
  for (;;) {
    Header header;
    if (!TRY(read_block(header.bytes)) || header.is_empty()) return std::optional<TarEntry>();
    TRY(header.check());
    switch (header.flag()) {
      case 'x': extensions.pax = TRY(parse_pax(TRY(extension(header)))); break;
      case 'L': extensions.name = text_of(TRY(extension(header))); break;
      case 'K': extensions.link = text_of(TRY(extension(header))); break;
      case 'g': TRY(extension(header)); break;
      default: return std::optional<TarEntry>(TRY(entry_of(header, extensions)));
    }
  }
}

Result<TarEntry> TarReader::entry_of(const Header& header, Extensions& extensions) {
  const Pax& pax = extensions.pax;
  TarEntry entry;
  entry.name = pax.has("path") ? std::string(pax.text("path")) : extensions.name.empty() ? header.name() : extensions.name;
  entry.link = pax.has("linkpath") ? std::string(pax.text("linkpath"))
               : extensions.link.empty() ? header.text(157, 100)
                                         : extensions.link;
  TRY(check_name(entry.name));
  TRY(check_name(entry.link));
  std::optional<TarType> type = type_of(header.flag());
  if (!type) return refused(entry.name, std::string("has the unknown type '") + header.flag() + "'");
  entry.type = *type == TarType::file && entry.name.ends_with('/') ? TarType::directory : *type;
  entry.mode = static_cast<mode_t>(TRY(size_of(header.field(100, 8), "a mode")) & 07777);
  entry.uid = TRY(id_of(pax.text("uid"), header.field(108, 8), "a uid"));
  entry.gid = TRY(id_of(pax.text("gid"), header.field(116, 8), "a gid"));
  if (pax.has("mtime")) entry.mtime = TRY(parse_pax_time(pax.text("mtime")));
  else entry.mtime.tv_sec = TRY(number_of(header.field(136, 12), "a time"));
  if (entry.type == TarType::character || entry.type == TarType::block) {
    entry.major = TRY(id_of("", header.field(329, 8), "a device number"));
    entry.minor = TRY(id_of("", header.field(337, 8), "a device number"));
  }
  for (const auto& [key, value] : pax.values) {
    if (key.starts_with(XATTR)) entry.xattrs.push_back(Xattr{key.substr(sizeof XATTR - 1), value});
  }
  if (entry.type == TarType::file) {
    uint64_t stored = TRY(size_of(header.field(124, 12), "a size"));
    if (pax.has("size")) stored = TRY(parse_decimal(pax.text("size"), "a size"));
    if (stored > MAX_SIZE) return refused(entry.name, "has a size that is out of range");
    entry.size = left_ = stored;
    padding_ = padding_of(stored);
    TRY(read_sparse(header, extensions, entry));
  }
  return entry;
}

// Four ways of saying where the holes are: old GNU in the header, and PAX 0.0 (a list of records), 0.1 (one record) and 1.0
// (in front of the content).
Result<void> TarReader::read_sparse(const Header& header, const Extensions& extensions, TarEntry& entry) {
  const Pax& pax = extensions.pax;
  bool newest = pax.text("GNU.sparse.major") == "1" && pax.text("GNU.sparse.minor") == "0";
  if (header.flag() == 'S') {
    entry.size = TRY(size_of(header.field(483, 12), "a size"));
    entry.extents = TRY(old_sparse_map(header));
  } else if (newest) {
    entry.size = TRY(parse_decimal(pax.text("GNU.sparse.realsize"), "a size"));
    entry.extents = TRY(inline_sparse_map());
  } else if (pax.has("GNU.sparse.size")) {
    entry.size = TRY(parse_decimal(pax.text("GNU.sparse.size"), "a size"));
    entry.extents = pax.has("GNU.sparse.map") ? TRY(parse_sparse_map(pax.text("GNU.sparse.map"))) : pax.sparse;
  } else {
    return {};
  }
  if (pax.has("GNU.sparse.name")) entry.name = pax.text("GNU.sparse.name");
  TRY(check_name(entry.name));
  if (entry.size > MAX_SIZE) return refused(entry.name, "has a size that is out of range");
  TRY(check_extents(entry, left_));
  if (entry.extents.empty()) entry.extents.push_back(Extent{.offset = entry.size});
  return {};
}

Result<std::vector<Extent>> TarReader::old_sparse_map(const Header& header) {
  std::vector<Extent> map;
  auto add = [&](const Header& block, size_t at, size_t count) -> Result<void> {
    for (size_t i = 0; i < count; i++, at += 24) {
      if (block.bytes[at] == 0) return {};
      Extent run;
      run.offset = TRY(size_of(block.field(at, 12), "a sparse map"));
      run.size = TRY(size_of(block.field(at + 12, 12), "a sparse map"));
      map.push_back(run);
    }
    return {};
  };
  TRY(add(header, 386, 4));
  Header more;
  for (bool extended = header.bytes[482] != 0; extended; extended = more.bytes[504] != 0) {
    if (map.size() > MAX_EXTENTS) return refused("", "a sparse map is too long");
    TRY(read_exactly(more.bytes, BLOCK));
    TRY(add(more, 0, 21));
  }
  return map;
}

// Decimal numbers on lines of their own: how many runs, then offset and size of each; filled up to a whole block.
Result<std::vector<Extent>> TarReader::inline_sparse_map() {
  std::string text;
  size_t at = 0;
  auto number = [&]() -> Result<uint64_t> {
    size_t end;
    while ((end = text.find('\n', at)) == std::string::npos) {
      if (text.size() - at > 32 || left_ < BLOCK) return refused("", "a sparse map is damaged");
      char block[BLOCK];
      TRY(read_exactly(block, BLOCK));
      left_ -= BLOCK;
      text.erase(0, at).append(block, BLOCK);
      at = 0;
    }
    size_t from = std::exchange(at, end + 1);
    return parse_decimal(std::string_view(text).substr(from, end - from), "a sparse map");
  };
  uint64_t count = TRY(number());
  if (count > MAX_EXTENTS) return refused("", "a sparse map is too long");
  std::vector<Extent> map(count);
  for (Extent& run : map) {
    run.offset = TRY(number());
    run.size = TRY(number());
  }
  return map;
}

}  // namespace caisson
