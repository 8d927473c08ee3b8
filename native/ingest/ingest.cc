#include "ingest.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <atomic>

#include "../archive/tar_entry.h"
#include "../core/sys.h"
#include "decoder.h"
#include "digest.h"

namespace caisson {

namespace {

constexpr size_t ARRIVING_BYTES = 4 << 20, CONTENT_BYTES = 4 << 20;
constexpr size_t READ_BYTES = 512 << 10;

// The tar reader's view of a queue.
class QueueSource final : public Source {
 public:
  explicit QueueSource(BlockQueue& queue) : queue_(queue) {}

  Result<size_t> read(void* buffer, size_t size) override {
    if (!refill()) return size_t{0};
    size_t part = std::min(size, block_.size() - at_);
    std::copy_n(block_.bytes().data() + at_, part, static_cast<uint8_t*>(buffer));
    at_ += part;
    return part;
  }

  Result<void> skip(uint64_t size) override {
    while (size > 0 && refill()) {
      size_t part = static_cast<size_t>(std::min<uint64_t>(size, block_.size() - at_));
      at_ += part;
      size -= part;
    }
    return {};
  }

 private:
  bool refill() {
    while (at_ == block_.size()) {
      std::optional<Block> next = queue_.pop();
      if (!next) return false;
      block_ = std::move(*next);
      at_ = 0;
    }
    return true;
  }

  BlockQueue& queue_;
  Block block_;
  size_t at_ = 0;
};

Failure cancelled() { return Failure{.syscall = "ingest", .error = ECANCELED}; }

}  // namespace

// The three threads behind the first: decoding, hashing and unpacking.
struct Ingest::Content {
  Content(int root, const UnpackOptions& options) {
    decoding_ = std::thread([this] { decoded_ = decode(); });
    hashing_ = std::thread([this] {
      while (std::optional<Block> block = to_hash_.pop()) digest_.update(block->bytes());
    });
    unpacking_ = std::thread([this, root, options] {
      QueueSource source(to_unpack_);
      unpacked_ = unpack(source, root, options);
      to_unpack_.close();
    });
  }

  // What it makes of the content is asked for in the end.
  void push(const Block& block) { stored_.push(block); }

  // Nothing follows; `whole` = false: and what came is not all.
  void finish(bool whole, Ingested& result) {
    if (whole) stored_.end();
    else for (BlockQueue* queue : {&stored_, &to_hash_, &to_unpack_}) queue->close();
    for (std::thread* thread : {&decoding_, &hashing_, &unpacking_}) thread->join();
    // What cannot be decoded is cut off for whoever unpacks it, and who unpacks no more stops the decoder: the first is the cause.
    bool stopped = !decoded_ && decoded_.failure().error == ECANCELED;
    if (!decoded_ && !stopped) result.refused = std::move(decoded_).failure();
    else if (!unpacked_) result.refused = std::move(unpacked_).failure();
    else result.unpacked = std::move(unpacked_).value();
    result.diff_id = digest_.hex();
  }

 private:
  Result<void> decode() {
    AnyDecoder decoder([this](Block block) -> Result<void> {
      to_hash_.push(block);
      return to_unpack_.push(std::move(block)) ? Result<void>() : Result<void>(cancelled());
    });
    Result<void> done = feed(decoder);
    to_hash_.end();
    to_unpack_.end();
    stored_.close();
    return done;
  }

  Result<void> feed(Decoder& decoder) {
    while (std::optional<Block> block = stored_.pop()) TRY(decoder.feed(*block));
    return decoder.finish();
  }

  BlockQueue stored_{ARRIVING_BYTES}, to_hash_{CONTENT_BYTES}, to_unpack_{CONTENT_BYTES};
  Digest digest_{"sha256"};
  Result<void> decoded_;
  Result<Unpacked> unpacked_{cancelled()};
  std::thread decoding_, hashing_, unpacking_;
};

Ingest::Ingest(IngestOptions options, std::function<void()> on_room, std::function<void(Result<Ingested>)> on_done)
    : options_(std::move(options)), on_done_(std::move(on_done)), arriving_(ARRIVING_BYTES) {
  arriving_.on_room = std::move(on_room);
  thread_ = std::thread([this] { run(); });
}

Ingest::~Ingest() {
  abort();
  thread_.join();
}

void Ingest::abort() {
  aborted_ = true;
  arriving_.close();
}

void Ingest::run() {
  Fd root(options_.root);
  Result<Ingested> result = in_section("ingest", take());
  arriving_.close();
  root.reset();
  on_done_(std::move(result));
}

Result<Ingested> Ingest::take() {
  Ingested result;
  Digest digest(options_.algorithm);
  Fd blob;
  if (!options_.blob.empty()) blob = TRY(sys::open(options_.blob, O_RDWR | O_CREAT, 0600));
  std::unique_ptr<Content> content;
  if (options_.root >= 0) content = std::make_unique<Content>(options_.root, options_.unpack);

  auto use = [&](const Block& block) -> Result<void> {
    if (aborted_) return cancelled();
    result.size += block.size();
    if (result.size > options_.limit) return Failure{.syscall = "ingest", .error = EFBIG};
    digest.update(block.bytes());
    if (content) content->push(block);
    return {};
  };
  auto keep = [&](const Block& block) -> Result<void> {
    TRY(use(block));
    return blob ? sys::write_all(blob.get(), block.bytes().data(), block.size(), options_.blob) : Result<void>();
  };
  auto all = [&]() -> Result<void> {
    TRY(read_file(blob.get(), 0, options_.prefix, use));
    if (blob) TRY(sys::check(::lseek(blob.get(), static_cast<off_t>(options_.prefix), SEEK_SET), "lseek", options_.blob));
    if (blob) TRY(sys::check(::ftruncate(blob.get(), static_cast<off_t>(options_.prefix)), "ftruncate", options_.blob));
    TRY(read_file(options_.file, options_.file_offset, options_.file_size, keep));
    if (options_.file >= 0) return {};
    while (std::optional<Block> block = arriving_.pop()) TRY(keep(*block));
    return aborted_ ? Result<void>(cancelled()) : Result<void>();
  };
  Result<void> taken = all();
  if (content) content->finish(static_cast<bool>(taken), result);
  if (!taken) return std::move(taken).failure();
  result.digest = digest.hex();
  return result;
}

Result<void> Ingest::read_file(int fd, uint64_t offset, uint64_t size, const std::function<Result<void>(Block)>& use) {
  while (size > 0) {
    size_t part = static_cast<size_t>(std::min<uint64_t>(size, READ_BYTES));
    auto bytes = std::make_unique_for_overwrite<uint8_t[]>(part);
    int got = TRY(sys::check(::pread(fd, bytes.get(), part, static_cast<off_t>(offset)), "pread"));
    if (got == 0) return Failure{.syscall = "pread", .error = ENODATA};
    TRY(use(Block(std::move(bytes), static_cast<size_t>(got))));
    offset += static_cast<uint64_t>(got);
    size -= static_cast<uint64_t>(got);
  }
  return {};
}

}  // namespace caisson
