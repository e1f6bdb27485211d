#include <cstdlib>

#include "common/tls/openssl.h"

namespace heartbeat::tls {

bool is_built() {
  return false;
}

std::string version() {
  return "without OpenSSL";
}

Digest sha256(std::string_view) {
  std::abort();  // the configuration that needs it is refused
}

bool is_same(const Digest& one, const Digest& other) {
  return one == other;
}

bool draw_secret(std::span<std::uint8_t>) {
  return false;
}

}  // namespace heartbeat::tls
