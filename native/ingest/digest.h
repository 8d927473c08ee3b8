// Digests as descriptors have them (image-spec descriptor.md).
#pragma once

#include <memory>
#include <span>
#include <string>

#include "node_abi.h"

namespace caisson {

class Digest {
 public:
  // sha256 or sha512.
  explicit Digest(const std::string& algorithm);
  void update(std::span<const uint8_t> bytes);
  // Hex, without the algorithm. Once.
  std::string hex();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace caisson
