#include "tools/relay/tls_context.h"

#include <cstdint>
#include <cstring>
#include <utility>

#include "common/events/segments.h"

namespace heartbeat::relay {
namespace {

constexpr std::uint64_t kPemFileMax = std::uint64_t{1} << 20U;

tl::expected<tls::File, std::string> read_pem(const std::string& path) {
  if (path.empty()) return tls::File{};
  auto text = events::read_file(path, kPemFileMax);
  if (!text) return tl::unexpected(path + ": " + std::strerror(text.error()));
  return tls::File{.name = path, .text = std::move(*text)};
}

}  // namespace

tl::expected<std::shared_ptr<const tls::Context>, std::string> tls_context(const Config& config,
                                                                           const std::string& server) {
  tls::ClientOptions options{.server = server};
  for (const auto& [path, into] :
       {std::pair{&config.tls_ca, &options.ca}, std::pair{&config.tls_certificate, &options.certificate},
        std::pair{&config.tls_key, &options.key}}) {
    auto file = read_pem(*path);
    if (!file) return tl::unexpected(file.error());
    *into = std::move(*file);
  }
  return tls::client_context(options);
}

}  // namespace heartbeat::relay
