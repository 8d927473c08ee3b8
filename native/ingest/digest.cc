#include "digest.h"

namespace caisson {

Digest::Digest(const std::string& algorithm) : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_.get(), algorithm == "sha512" ? EVP_sha512() : EVP_sha256(), nullptr);
}

void Digest::update(std::span<const uint8_t> bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }

std::string Digest::hex() {
  uint8_t digest[64];
  unsigned size = 0;
  EVP_DigestFinal_ex(context_.get(), digest, &size);
  std::string text;
  for (unsigned i = 0; i < size; i++) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text;
}

}  // namespace caisson
