#include "tools/relay/config.h"

#include <array>
#include <cctype>
#include <cstring>
#include <string_view>

#include <toml++/toml.h>
#include <unistd.h>

#include "common/duration.h"
#include "common/events/segments.h"
#include "common/text.h"
#include "tools/relay/record.h"

namespace heartbeat::relay {
namespace {

constexpr std::uint64_t kRelayConfigMax = std::uint64_t{1} << 20U;
constexpr std::uint64_t kPasswordFileMax = 4096;
constexpr std::string_view kNameRule = ": must be 1 to 64 of a-z, 0-9, - and _";

// The host's name up to its first dot, in small letters; empty where that is no name of a node.
std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  std::string node{name.data()};
  node = node.substr(0, node.find('.'));
  for (char& letter : node) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return is_fleet_name(node) ? node : std::string{};
}

class RelayConfigReader {
 public:
  explicit RelayConfigReader(const std::string& path) : path_(path) {}

  Config read(const toml::table& table) {
    Config config;
    for (const auto& [key, node] : table) read_setting(key.str(), node, config);
    if (!mistakes.empty()) return config;
    if (config.node.empty()) config.node = host_name();
    if (config.fleet.empty()) mistakes.push_back(path_ + ": fleet: must be given");
    if (config.node.empty()) mistakes.push_back(path_ + ": node: must be given; the host's name is none");
    if (config.redis.empty() == config.sentinels.empty()) {
      mistakes.push_back(path_ + ": one of redis and sentinels must be given");
    }
    if (config.sentinels.empty() != config.master.empty()) {
      mistakes.push_back(path_ + ": sentinels and master belong together");
    }
    if (!config.user.empty() && config.password_file.empty()) {
      mistakes.push_back(path_ + ": user: needs a password_file");
    }
    const bool has_tls_files =
        !config.tls_ca.empty() || !config.tls_certificate.empty() || !config.tls_key.empty();
    if (has_tls_files && !config.tls)
      mistakes.push_back(path_ + ": tls_ca, tls_certificate, tls_key: need tls = true");
    if (config.tls_certificate.empty() && !config.tls_key.empty()) {
      mistakes.push_back(path_ + ": tls_key: needs a tls_certificate");
    }
    return config;
  }

  std::vector<std::string> mistakes;

 private:
  void read_setting(std::string_view name, const toml::node& node, Config& config) {
    if (name == "fleet")
      fleet_name(name, node, config.fleet);
    else if (name == "node")
      fleet_name(name, node, config.node);
    else if (name == "redis")
      addresses(name, node, 6379, 1, config.redis);
    else if (name == "sentinels")
      addresses(name, node, 26379, kSentinelsMax, config.sentinels);
    else if (name == "master")
      text(name, node, config.master);
    else if (name == "user")
      text(name, node, config.user);
    else if (name == "password_file")
      text(name, node, config.password_file);
    else if (name == "tls")
      flag(name, node, config.tls);
    else if (name == "tls_ca")
      text(name, node, config.tls_ca);
    else if (name == "tls_certificate")
      text(name, node, config.tls_certificate);
    else if (name == "tls_key")
      text(name, node, config.tls_key);
    else if (name == "control")
      text(name, node, config.control);
    else if (name == "journal")
      text(name, node, config.journal);
    else if (name == "metrics")
      text(name, node, config.metrics);
    else if (name == "page")
      text(name, node, config.page);
    else if (name == "lease")
      lease(name, node, config.lease);
    else if (name == "records_max")
      records(name, node, config.records_max);
    else
      refuse(node, std::string{name} + ": there is no such setting");
  }

  void refuse(const toml::node& at, const std::string& what) {
    mistakes.push_back(path_ + ':' + std::to_string(at.source().begin.line) + ": " + what);
  }

  bool text(std::string_view key, const toml::node& node, std::string& into) {
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty() || !is_printable(*value)) {
      refuse(node, std::string{key} + ": must be text in quotes");
      return false;
    }
    into = *value;
    return true;
  }

  void fleet_name(std::string_view key, const toml::node& node, std::string& into) {
    if (text(key, node, into) && !is_fleet_name(into))
      refuse(node, std::string{key} + std::string{kNameRule});
  }

  void flag(std::string_view key, const toml::node& node, bool& into) {
    const auto value = node.value_exact<bool>();
    if (!value) return refuse(node, std::string{key} + ": must be true or false");
    into = *value;
  }

  void address(std::string_view key, const toml::node& node, std::uint16_t port,
               std::vector<HostPort>& into) {
    std::string written;
    if (!text(key, node, written)) return;
    const bool has_port = written.rfind(':') != std::string::npos && !written.ends_with(']');
    auto where = parse_host_port(has_port ? written : written + ':' + std::to_string(port));
    if (!where) return refuse(node, std::string{key} + ": " + where.error());
    into.push_back(std::move(*where));
  }

  void addresses(std::string_view key, const toml::node& node, std::uint16_t port, std::size_t max,
                 std::vector<HostPort>& into) {
    if (max == 1) return address(key, node, port, into);
    const toml::array* const list = node.as_array();
    if (list == nullptr || list->empty() || list->size() > max) {
      return refuse(node,
                    std::string{key} + ": must be a list of 1 to " + std::to_string(max) + " addresses");
    }
    for (const toml::node& each : *list) address(key, each, port, into);
  }

  void lease(std::string_view key, const toml::node& node, Millis& into) {
    const auto value = node.value_exact<std::string>();
    if (!value) return refuse(node, std::string{key} + ": must be a duration in quotes, like \"15s\"");
    const auto read = parse_duration(*value);
    if (!read) return refuse(node, std::string{key} + ": " + read.error());
    if (*read < kLeaseMin || *read > kLeaseMax) {
      return refuse(node, std::string{key} + ": must be from " + format_duration(kLeaseMin) + " to " +
                              format_duration(kLeaseMax));
    }
    into = *read;
  }

  void records(std::string_view key, const toml::node& node, std::size_t& into) {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < static_cast<std::int64_t>(kRecordsMaxLeast) ||
        *value > static_cast<std::int64_t>(kRecordsMaxMost)) {
      return refuse(node, std::string{key} + ": must be a whole number from " +
                              std::to_string(kRecordsMaxLeast) + " to " + std::to_string(kRecordsMaxMost));
    }
    into = static_cast<std::size_t>(*value);
  }

  const std::string& path_;
};

}  // namespace

tl::expected<Config, std::vector<std::string>> parse_config(const std::string& text,
                                                            const std::string& path) {
  try {
    RelayConfigReader reader{path};
    Config config = reader.read(toml::parse(text));
    if (!reader.mistakes.empty()) return tl::unexpected(std::move(reader.mistakes));
    return config;
  } catch (const toml::parse_error& error) {
    return tl::unexpected(std::vector{path + ':' + std::to_string(error.source().begin.line) + ": " +
                                      std::string{error.description()}});
  }
}

tl::expected<Config, std::vector<std::string>> load_config(const std::string& path) {
  const auto text = events::read_file(path, kRelayConfigMax);
  if (!text) return tl::unexpected(std::vector{path + ": " + std::strerror(text.error())});
  return parse_config(*text, path);
}

tl::expected<std::string, std::string> read_password(const Config& config) {
  if (config.password_file.empty()) return std::string{};
  const auto text = events::read_file(config.password_file, kPasswordFileMax);
  if (!text) return tl::unexpected(config.password_file + ": " + std::strerror(text.error()));
  std::string password = text->substr(0, text->find('\n'));
  if (password.empty()) return tl::unexpected(config.password_file + ": its first line is empty");
  return password;
}

}  // namespace heartbeat::relay
