// A blob on its way into the store: hashed and written, and a layer decompressed, hashed again and unpacked, each on a thread
// of its own, while it still arrives.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "../archive/unpack.h"
#include "block_queue.h"

namespace caisson {

struct IngestOptions {
  std::string algorithm = "sha256";
  // Where the blob is kept; empty: nowhere. Its first `prefix` bytes are there from an earlier attempt.
  std::string blob;
  uint64_t prefix = 0;
  // Bytes that it may have at most.
  uint64_t limit = UINT64_MAX;
  // A file that holds it, instead of what is offered; -1: none. Borrowed.
  int file = -1;
  uint64_t file_offset = 0, file_size = 0;
  // Directory to unpack into; -1: it is only kept. Owned by the ingest.
  int root = -1;
  UnpackOptions unpack;
};

struct Ingested {
  std::string digest;  // hex, of the blob
  uint64_t size = 0;
  // Why there is nothing to be had of the blob's content; it was read to its end all the same, for the digest says whose fault it is.
  std::optional<Failure> refused;
  std::string diff_id;  // hex of the sha256 of the content
  Unpacked unpacked;
};

class Ingest {
 public:
  // `on_room`, `on_done`: called on threads of the ingest; on_done once, as the last thing.
  Ingest(IngestOptions options, std::function<void()> on_room, std::function<void(Result<Ingested>)> on_done);
  ~Ingest();  // aborts what is not done
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  // Whether more may be offered at once; if not, after on_room. None: it is over, and only the outcome is left.
  std::optional<bool> offer(Block block) { return arriving_.offer(std::move(block)); }
  void end() { arriving_.end(); }

 private:
  struct Content;

  void abort();  // the outcome is then ECANCELED
  void run();
  Result<Ingested> take();
  Result<void> read_file(int fd, uint64_t offset, uint64_t size, const std::function<Result<void>(Block)>& use);

  IngestOptions options_;
  std::function<void(Result<Ingested>)> on_done_;
  BlockQueue arriving_;
  std::atomic<bool> aborted_ = false;
  std::thread thread_;
};

}  // namespace caisson
