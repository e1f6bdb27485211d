#include <cstdlib>

#include "common/tls/openssl.h"
#include "common/tls/session.h"

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

Digest hmac_sha256(std::string_view, std::string_view) {
  std::abort();
}

bool is_same(const Digest& one, const Digest& other) {
  return one == other;
}

bool draw_secret(std::span<std::uint8_t>) {
  return false;
}

tl::expected<std::shared_ptr<const Context>, std::string> server_context(const ServerOptions&) {
  return tl::unexpected(std::string{"this program was built without OpenSSL"});
}

tl::expected<std::shared_ptr<const Context>, std::string> client_context(const ClientOptions&) {
  return tl::unexpected(std::string{"this program was built without OpenSSL"});
}

}  // namespace heartbeat::tls
