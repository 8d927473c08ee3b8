// Decompresses a stream, told by its first bytes and not by what a manifest says of it.
#pragma once

#include <functional>
#include <memory>

#include "../core/result.h"
#include "block.h"

namespace caisson {

// Takes what a decoder has made. A failure ends the decoding.
using BlockSink = std::function<Result<void>(Block)>;

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual Result<void> feed(const Block& block) = 0;
  // The input has ended. A stream that has not is a refusal.
  virtual Result<void> finish() = 0;
};

std::unique_ptr<Decoder> gzip_decoder(BlockSink sink);
std::unique_ptr<Decoder> zstd_decoder(BlockSink sink);

// Of gzip with any number of members, of zstd with any number of frames, or of nothing compressed. xz and bzip2 are refused.
class AnyDecoder final : public Decoder {
 public:
  explicit AnyDecoder(BlockSink sink) : sink_(std::move(sink)) {}
  Result<void> feed(const Block& block) override;
  Result<void> finish() override;

 private:
  Result<void> choose();

  BlockSink sink_;
  Block first_;  // until there are as many bytes as it takes to tell
  std::unique_ptr<Decoder> chosen_;
};

}  // namespace caisson
