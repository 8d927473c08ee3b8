#include "../archive/tar_entry.h"
#include "../third_party/zstd/lib/zstd.h"
#include "decoder.h"

namespace caisson {

namespace {

constexpr size_t OUTPUT_BYTES = 256 << 10;
// Largest window that is taken, as the zstd program does without --long: 128 MiB. A frame may ask for 2 GiB of memory.
constexpr int MAX_WINDOW_LOG = 27;

struct Free {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdDecoder final : public Decoder {
 public:
  explicit ZstdDecoder(BlockSink sink) : sink_(std::move(sink)), context_(ZSTD_createDCtx()) {
    if (context_) ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, MAX_WINDOW_LOG);
  }

  Result<void> feed(const Block& block) override {
    if (!context_) return Failure{.syscall = "ZSTD_createDCtx", .error = 12};
    ZSTD_inBuffer in{block.bytes().data(), block.size(), 0};
    // A full output may have more behind it although the input has been taken.
    for (bool full = false; in.pos < in.size || full;) {
      if (!output_.get()) output_ = std::make_unique_for_overwrite<uint8_t[]>(OUTPUT_BYTES), used_ = 0;
      ZSTD_outBuffer out{output_.get(), OUTPUT_BYTES, used_};
      left_ = ZSTD_decompressStream(context_.get(), &out, &in);
      if (ZSTD_isError(left_)) {
        return refused("", std::string("its zstd stream is damaged: ") + ZSTD_getErrorName(left_));
      }
      used_ = out.pos;
      full = used_ == OUTPUT_BYTES && left_ != 0;
      if (used_ == OUTPUT_BYTES) TRY(flush());
    }
    return {};
  }

  Result<void> finish() override {
    if (left_ != 0) return refused("", "its zstd stream ends before its end");
    return flush();
  }

 private:
  Result<void> flush() {
    size_t size = std::exchange(used_, 0);
    return size == 0 ? Result<void>() : sink_(Block(std::move(output_), size));
  }

  BlockSink sink_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  size_t left_ = 1;  // 0: at the end of a frame
  std::unique_ptr<uint8_t[]> output_;
  size_t used_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> zstd_decoder(BlockSink sink) { return std::make_unique<ZstdDecoder>(std::move(sink)); }

}  // namespace caisson
