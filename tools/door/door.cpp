#include "tools/door/door.h"

#include <fstream>
#include <iterator>

#include "common/limits.h"
#include "common/text.h"
#include "common/token.h"

namespace heartbeat::door {
namespace {

// The error is a sentence.
tl::expected<tls::File, std::string> read(const std::string& path) {
  std::ifstream stream{path, std::ios::binary};
  tls::File file{.name = path, .text = {std::istreambuf_iterator<char>{stream}, {}}};
  if (!stream || file.text.empty()) return tl::unexpected("cannot read " + escaped(path));
  return file;
}

}  // namespace

void add_flags(CommandLine& line, Door& door) {
  const auto path_into = [](std::string& into) {
    return [&into](const std::string& path) -> CommandLine::Applied {
      if (path.empty()) return tl::unexpected(std::string{"must be the path of a file"});
      into = path;
      return {};
    };
  };
  line.toggle("--tls", "Connect by TLS, and verify the daemon's certificate", door.tls);
  line.value("--ca", "FILE", "With --tls: the authorities to verify it by [the system's]",
             path_into(door.ca));
  line.value("--cert", "FILE", "With --tls: prove ourselves by the certificate in this file",
             path_into(door.certificate));
  line.value("--key", "FILE", "With --cert: its private key [the file of --cert]", path_into(door.key));
  line.value("--token", "FILE", "Prove ourselves by the token in this file, in the first heartbeat",
             [&](const std::string& path) -> CommandLine::Applied {
               return read_token_file(path).map([&](std::string&& token) { door.token = std::move(token); });
             });
}

tl::expected<std::shared_ptr<const tls::Context>, std::string> context_for(const Door& door,
                                                                           const HostPort& server) {
  if (!door.tls) {
    if (door.ca.empty() && door.certificate.empty() && door.key.empty()) return nullptr;
    return tl::unexpected(std::string{"--ca, --cert and --key need --tls"});
  }
  if (!door.key.empty() && door.certificate.empty()) return tl::unexpected(std::string{"--key needs --cert"});
  tls::ClientOptions options{.server = server.host};
  const auto load = [](const std::string& path, tls::File& into) -> tl::expected<void, std::string> {
    if (path.empty()) return {};
    return read(path).map([&](tls::File&& file) { into = std::move(file); });
  };
  auto loaded = load(door.ca, options.ca);
  if (loaded) loaded = load(door.certificate, options.certificate);
  if (loaded) loaded = load(door.key.empty() ? door.certificate : door.key, options.key);
  if (!loaded) return tl::unexpected(loaded.error());
  return tls::client_context(options);
}

std::string proxy_header(const Endpoint& source, const Endpoint& server) {
  const bool is_v4 = source.family == Endpoint::Family::V4;
  const std::string to = server.family == source.family ? address_string(server)
                         : is_v4                        ? "127.0.0.1"
                                                        : "::1";
  return std::string{"PROXY "} + (is_v4 ? "TCP4 " : "TCP6 ") + address_string(source) + " " + to + " " +
         std::to_string(source.port) + " " + std::to_string(server.port) + "\r\n";
}

}  // namespace heartbeat::door
