#include "common/tls/openssl.h"

#include <new>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace heartbeat::tls {

bool is_built() {
  return true;
}

std::string version() {
  return std::string{"OpenSSL "} + OpenSSL_version(OPENSSL_VERSION_STRING);
}

// Fails only where memory lacks.
Digest sha256(std::string_view bytes) {
  Digest digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::bad_alloc{};
  }
  return digest;
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  Digest digest{};
  unsigned size = 0;
  const auto* const text = reinterpret_cast<const unsigned char*>(bytes.data());
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text, bytes.size(), digest.data(),
           &size) == nullptr) {
    throw std::bad_alloc{};
  }
  return digest;
}

bool is_same(const Digest& one, const Digest& other) {
  return CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

bool draw_secret(std::span<std::uint8_t> bytes) {
  return RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1;
}

}  // namespace heartbeat::tls
