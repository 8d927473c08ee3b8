// A tar reader: ustar, GNU long names and sparse files, PAX, base-256 numbers. Headers are untrusted: every length is bounded,
// every number checked.
#pragma once

#include <optional>

#include "pax.h"
#include "source.h"
#include "tar_entry.h"

namespace caisson {

class TarReader {
 public:
  explicit TarReader(Source& source) : source_(source) {}

  // The next entry, after what is left of the content of the one before; none: the end of the archive.
  Result<std::optional<TarEntry>> next();
  // Stored content of that entry (of a sparse file: the runs, one after the other), up to `size` bytes; 0 = its end.
  Result<size_t> read(void* buffer, size_t size);
  // Where in the archive that content begins, and how long it is there.
  uint64_t position() const { return position_; }
  uint64_t stored() const { return left_; }
  // Reads what follows the end, so that a digest covers the whole.
  Result<void> drain();

 private:
  struct Header;
  // What extension headers said of the next entry.
  struct Extensions {
    Pax pax;
    std::string name, link;
  };

  Result<bool> read_block(void* block);
  Result<void> read_exactly(void* buffer, size_t size);
  Result<void> finish_content();
  Result<std::string> extension(const Header& header);
  Result<TarEntry> entry_of(const Header& header, Extensions& extensions);
  Result<void> read_sparse(const Header& header, const Extensions& extensions, TarEntry& entry);
  Result<std::vector<Extent>> old_sparse_map(const Header& header);
  Result<std::vector<Extent>> inline_sparse_map();

  Source& source_;
  uint64_t position_ = 0;
  uint64_t left_ = 0;     // content not yet read
  uint64_t padding_ = 0;  // up to the next header
};

}  // namespace caisson
