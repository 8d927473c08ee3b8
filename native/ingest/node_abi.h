// What the node binary exports of its own zlib and OpenSSL: the parts of two ABIs that have not changed for decades, declared
// here because a machine with Node need not have the headers of either (Debian's package has none).
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {

// zlib.h (1.2.3 and later)
struct z_stream {
  const uint8_t* next_in;
  unsigned avail_in;
  unsigned long total_in;
  uint8_t* next_out;
  unsigned avail_out;
  unsigned long total_out;
  const char* msg;
  struct internal_state* state;
  void* (*zalloc)(void*, unsigned, unsigned);
  void (*zfree)(void*, void*);
  void* opaque;
  int data_type;
  unsigned long adler;
  unsigned long reserved;
};

int inflateInit2_(z_stream* stream, int window_bits, const char* version, int stream_size);
int inflateReset(z_stream* stream);
int inflate(z_stream* stream, int flush);
int inflateEnd(z_stream* stream);

// openssl/evp.h (1.1.0 and later)
using EVP_MD = struct evp_md_st;
using EVP_MD_CTX = struct evp_md_ctx_st;

EVP_MD_CTX* EVP_MD_CTX_new();
void EVP_MD_CTX_free(EVP_MD_CTX* context);
const EVP_MD* EVP_sha256();
const EVP_MD* EVP_sha512();
int EVP_DigestInit_ex(EVP_MD_CTX* context, const EVP_MD* type, void* engine);
int EVP_DigestUpdate(EVP_MD_CTX* context, const void* data, size_t size);
int EVP_DigestFinal_ex(EVP_MD_CTX* context, uint8_t* digest, unsigned* size);
}
