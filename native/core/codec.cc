#include "codec.h"

#include <errno.h>

namespace caisson {

std::span<const uint8_t> Reader::block(size_t limit, const char* field) {
  uint32_t size = 0;
  number(size, field);
  if (size > limit || size > data_.size() - at_) {
    fail(field);
    return {};
  }
  std::span<const uint8_t> content = data_.subspan(at_, size);
  at_ += size;
  return content;
}

void Reader::header(uint32_t magic, uint32_t version) {
  uint32_t found = 0;
  number(found, "magic");
  if (found != magic) fail("magic");
  number(found, "version");
  if (found != version) fail("version");
}

Result<void> Reader::finish() const {
  const char* field = failed_ == nullptr && at_ != data_.size() ? "trailing bytes" : failed_;
  if (field == nullptr) return {};
  int error = strcmp(field, "version") == 0 ? EPROTONOSUPPORT : EBADMSG;
  return Failure{.section = "plan", .syscall = "decode", .error = error, .path = field};
}

}  // namespace caisson
