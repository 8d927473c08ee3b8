#include "decoder.h"

#include <string.h>

#include <algorithm>
#include <string_view>

#include "../archive/tar_entry.h"

namespace caisson {

namespace {

constexpr size_t MAGIC_BYTES = 6;

class PlainDecoder final : public Decoder {
 public:
  explicit PlainDecoder(BlockSink sink) : sink_(std::move(sink)) {}
  Result<void> feed(const Block& block) override { return sink_(block); }
  Result<void> finish() override { return {}; }

 private:
  BlockSink sink_;
};

Block joined(const Block& a, const Block& b) {
  auto bytes = std::make_unique_for_overwrite<uint8_t[]>(a.size() + b.size());
  std::ranges::copy(a.bytes(), bytes.get());
  std::ranges::copy(b.bytes(), bytes.get() + a.size());
  return Block(std::move(bytes), a.size() + b.size());
}

// A skippable frame comes first where an index for lazy pulling was put in (zstd:chunked).
bool is_zstd(std::string_view first) {
  return first.starts_with("\x28\xb5\x2f\xfd") ||
         (first.size() >= 4 && (first[0] & 0xf0) == 0x50 && first.substr(1, 3) == "\x2a\x4d\x18");
}

}  // namespace

Result<void> AnyDecoder::feed(const Block& block) {
  if (chosen_) return chosen_->feed(block);
  first_ = first_.size() == 0 ? block : joined(first_, block);
  return first_.size() < MAGIC_BYTES ? Result<void>() : choose();
}

Result<void> AnyDecoder::choose() {
  std::string_view first(reinterpret_cast<const char*>(first_.bytes().data()), first_.size());
  if (first.starts_with(std::string_view("\xfd" "7zXZ\0", 6))) return refused("", "it is compressed with xz");
  if (first.starts_with("BZh")) return refused("", "it is compressed with bzip2");
  if (first.starts_with("\x1f\x8b")) chosen_ = gzip_decoder(sink_);
  else if (is_zstd(first)) chosen_ = zstd_decoder(sink_);
  else chosen_ = std::make_unique<PlainDecoder>(sink_);
  return chosen_->feed(std::exchange(first_, Block()));
}

Result<void> AnyDecoder::finish() {
  if (!chosen_ && first_.size() == 0) return {};
  if (!chosen_) TRY(choose());
  return chosen_->finish();
}

}  // namespace caisson
