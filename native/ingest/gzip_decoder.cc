#include "../archive/tar_entry.h"
#include "decoder.h"
#include "node_abi.h"

namespace caisson {

namespace {

constexpr int OK = 0, STREAM_END = 1, BUF_ERROR = -5;  // zlib.h
constexpr int NO_FLUSH = 0;
constexpr int GZIP_WINDOW = 15 + 16;
constexpr size_t OUTPUT_BYTES = 256 << 10;

class GzipDecoder final : public Decoder {
 public:
  explicit GzipDecoder(BlockSink sink) : sink_(std::move(sink)) {
    ready_ = inflateInit2_(&stream_, GZIP_WINDOW, "1.2.11", sizeof stream_) == OK;
  }
  ~GzipDecoder() override {
    if (ready_) inflateEnd(&stream_);
  }

  Result<void> feed(const Block& block) override {
    if (!ready_) return Failure{.syscall = "inflateInit2", .error = 12};
    stream_.next_in = block.bytes().data();
    stream_.avail_in = static_cast<unsigned>(block.size());
    while (stream_.avail_in > 0 && !trailing_) {
      if (between_) {
        // Whatever follows the last member and is no member is padding, as for gzip(1).
        trailing_ = *stream_.next_in != 0x1f;
        if (trailing_ || inflateReset(&stream_) != OK) break;
        between_ = false;
      }
      TRY(step());
    }
    return {};
  }

  Result<void> finish() override {
    if (!between_) return refused("", "its gzip stream ends before its end");
    return flush();
  }

 private:
  Result<void> step() {
    if (!output_) {
      output_ = std::make_unique_for_overwrite<uint8_t[]>(OUTPUT_BYTES);
      stream_.next_out = output_.get();
      stream_.avail_out = OUTPUT_BYTES;
    }
    int result = inflate(&stream_, NO_FLUSH);
    if (result == STREAM_END) between_ = true;
    else if (result != OK && result != BUF_ERROR) {
      return refused("", std::string("its gzip stream is damaged: ") + (stream_.msg ? stream_.msg : "no memory"));
    }
    return stream_.avail_out == 0 ? flush() : Result<void>();
  }

  Result<void> flush() {
    size_t size = output_ ? OUTPUT_BYTES - stream_.avail_out : 0;
    if (size == 0) return {};
    return sink_(Block(std::move(output_), size));
  }

  BlockSink sink_;
  z_stream stream_ = {};
  bool ready_ = false, between_ = false, trailing_ = false;
  std::unique_ptr<uint8_t[]> output_;
};

}  // namespace

std::unique_ptr<Decoder> gzip_decoder(BlockSink sink) { return std::make_unique<GzipDecoder>(std::move(sink)); }

}  // namespace caisson
