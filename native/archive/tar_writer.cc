#include "tar_writer.h"

#include <stdio.h>
#include <string.h>

#include <string>

#include "../core/sys.h"

namespace caisson {

namespace {

constexpr size_t BLOCK = 512;
constexpr uint64_t MAX_SIZE_FIELD = 077777777777;
constexpr uint32_t MAX_ID_FIELD = 07777777;
constexpr size_t NAME_FIELD = 100;

struct Header {
  char bytes[BLOCK] = {};

  void text(size_t at, size_t size, std::string_view value) { memcpy(bytes + at, value.data(), std::min(size, value.size())); }
  // Octal digits and a NUL.
  void number(size_t at, size_t size, uint64_t value) {
    for (size_t i = size - 1; i-- > 0; value >>= 3) bytes[at + i] = static_cast<char>('0' + (value & 7));
  }
  void seal() {
    memset(bytes + 148, ' ', 8);
    uint64_t sum = 0;
    for (char byte : bytes) sum += static_cast<uint8_t>(byte);
    number(148, 7, sum);
    bytes[154] = '\0';
  }
  std::string_view view() const { return {bytes, BLOCK}; }
};

char flag_of(TarType type) {
  switch (type) {
    case TarType::file: return '0';
    case TarType::hardlink: return '1';
    case TarType::symlink: return '2';
    case TarType::character: return '3';
    case TarType::block: return '4';
    case TarType::directory: return '5';
    case TarType::fifo: return '6';
  }
  return '0';
}

Header header_of(const TarEntry& entry, std::string_view name) {
  Header header;
  header.text(0, NAME_FIELD, name);
  header.number(100, 8, entry.mode & 07777);
  header.number(108, 8, std::min<uint32_t>(entry.uid, MAX_ID_FIELD));
  header.number(116, 8, std::min<uint32_t>(entry.gid, MAX_ID_FIELD));
  header.number(124, 12, std::min(entry.size, MAX_SIZE_FIELD));
  header.number(136, 12, entry.mtime.tv_sec < 0 ? 0 : std::min(static_cast<uint64_t>(entry.mtime.tv_sec), MAX_SIZE_FIELD));
  header.bytes[156] = flag_of(entry.type);
  header.text(157, NAME_FIELD, entry.link);
  header.text(257, 8, std::string_view("ustar\00000", 8));
  return header;
}

// `<length> <key>=<value>\n`, where the length counts its own digits.
void add_record(std::string& records, std::string_view key, std::string_view value) {
  size_t rest = key.size() + value.size() + 3, length = rest + 1;
  while (std::to_string(length).size() + rest != length) length = std::to_string(length).size() + rest;
  records.append(std::to_string(length)).append(" ").append(key).append("=").append(value).append("\n");
}

}  // namespace

Result<void> TarWriter::begin(const TarEntry& entry) {
  std::string name = entry.name;
  if (entry.type == TarType::directory && !name.ends_with('/')) name += '/';
  std::string records;
  if (name.size() > NAME_FIELD) add_record(records, "path", name);
  if (entry.link.size() > NAME_FIELD) add_record(records, "linkpath", entry.link);
  if (entry.size > MAX_SIZE_FIELD) add_record(records, "size", std::to_string(entry.size));
  if (entry.uid > MAX_ID_FIELD) add_record(records, "uid", std::to_string(entry.uid));
  if (entry.gid > MAX_ID_FIELD) add_record(records, "gid", std::to_string(entry.gid));
  if (!records.empty()) {
    TarEntry extension;
    extension.mode = 0644;
    extension.size = records.size();
    Header header = header_of(extension, "pax");
    header.bytes[156] = 'x';
    header.seal();
    TRY(put(header.view()));
    TRY(put(records));
    TRY(fill());
  }
  Header header = header_of(entry, name);
  header.seal();
  return put(header.view());
}

Result<void> TarWriter::content(std::string_view bytes) { return put(bytes); }

Result<void> TarWriter::end() { return fill(); }

Result<void> TarWriter::finish() {
  char end[2 * BLOCK] = {};
  TRY(put(std::string_view(end, sizeof end)));
  return flush();
}

Result<void> TarWriter::fill() {
  char zeros[BLOCK] = {};
  size_t over = written_ % BLOCK;
  return over == 0 ? Result<void>() : put(std::string_view(zeros, BLOCK - over));
}

Result<void> TarWriter::put(std::string_view bytes) {
  written_ += bytes.size();
  if (buffer_.size() + bytes.size() > CAPACITY) TRY(flush());
  if (bytes.size() >= CAPACITY) return sys::write_all(fd_, bytes.data(), bytes.size(), "archive");
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return {};
}

Result<void> TarWriter::flush() {
  TRY(sys::write_all(fd_, buffer_.data(), buffer_.size(), "archive"));
  buffer_.clear();
  return {};
}

}  // namespace caisson
