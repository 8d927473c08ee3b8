// The tar reader on anything. What comes out is within its bounds, content is as long as was said, and reading ends.
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../archive/tar_reader.h"
#include "fuzzer.h"

using namespace caisson;

namespace {

using Bytes = std::vector<uint8_t>;

void require(bool held) {
  if (!held) abort();
}

void check(const TarEntry& entry) {
  require(entry.name.size() < PATH_MAX && entry.link.size() < PATH_MAX);
  require(entry.name.find('\0') == std::string::npos && entry.link.find('\0') == std::string::npos);
  require(entry.uid != UINT32_MAX && entry.gid != UINT32_MAX && (entry.mode & ~07777u) == 0);
  require(entry.mtime.tv_nsec >= 0 && entry.mtime.tv_nsec < 1'000'000'000);
  require(entry.type == TarType::file || entry.size == 0);
  uint64_t end = 0;
  for (const Extent& run : entry.extents) {
    require(run.offset >= end && run.size <= entry.size && run.offset <= entry.size - run.size);
    end = run.offset + run.size;
  }
}

// Headers get a right checksum, or the mutations would never pass it.
void seal(Bytes& archive) {
  for (size_t at = 0; at + 512 <= archive.size(); at += 512) {
    uint32_t sum = 8 * ' ';
    for (size_t i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 0 : archive[at + i];
    char text[9];
    snprintf(text, sizeof text, "%06o", sum & 0777777);
    memcpy(&archive[at + 148], text, 7);
    archive[at + 155] = ' ';
  }
}

Bytes header(const char* name, char type, const char* size) {
  Bytes block(512);
  strcpy(reinterpret_cast<char*>(&block[0]), name);
  strcpy(reinterpret_cast<char*>(&block[100]), "0000644");
  strcpy(reinterpret_cast<char*>(&block[124]), size);
  block[156] = static_cast<uint8_t>(type);
  memcpy(&block[257], "ustar\0" "00", 8);
  return block;
}

Bytes with(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) {
    all.insert(all.end(), part.begin(), part.end());
    all.resize((all.size() + 511) / 512 * 512);
  }
  seal(all);
  return all;
}

Bytes text(const char* content) { return Bytes(content, content + strlen(content)); }

bool read_all(std::span<const uint8_t> bytes) {
  MemorySource source(bytes);
  TarReader reader(source);
  size_t entries = 0;
  for (;; entries++) {
    Result<std::optional<TarEntry>> next = reader.next();
    if (!next) {
      require(is_refusal(next.failure()));
      return entries > 0;
    }
    if (!next.value()) return true;
    check(*next.value());
    uint64_t stored = reader.stored(), got = 0;
    char buffer[700];
    for (;;) {
      Result<size_t> part = reader.read(buffer, sizeof buffer);
      if (!part || part.value() == 0) break;
      got += part.value();
    }
    require(got <= stored);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes bytes(data, data + size);
  (void)read_all(bytes);
  (void)parse_pax(std::string_view(reinterpret_cast<const char*>(data), size));
  seal(bytes);
  return read_all(bytes) ? 0 : -1;
}

std::vector<std::vector<uint8_t>> caisson::fuzz_seeds() {
  Bytes sparse = header("s", 'S', "00000001000");
  strcpy(reinterpret_cast<char*>(&sparse[386]), "00000001000");
  strcpy(reinterpret_cast<char*>(&sparse[398]), "00000001000");
  strcpy(reinterpret_cast<char*>(&sparse[483]), "00000004000");
  return {
      with({header("a", '0', "00000000005"), text("hello"), header("d/", '5', "0"), Bytes(1024)}),
      with({header("x", 'x', "00000000044"), text("11 path=ab\n25 SCHILY.xattr.user.a=1\n"), header("a", '0', "0")}),
      with({header("x", 'L', "00000000004"), text("long"), header("x", 'K', "00000000003"), text("lnk"), header("a", '2', "0")}),
      with({sparse, Bytes(512, 'z')}),
      with({header("x", 'x', "00000000107"), text("22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n27 GNU.sparse.realsize=99\n"),
            header("a", '0', "00000001005"), text("1\n5\n5\n"), text("hello")}),
  };
}
