// Defaults, then the configuration file, then flags: one validated set of settings, each with its origin.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/tls/session.h"
#include "daemon/access/token_table.h"
#include "daemon/config/command_line.h"
#include "daemon/config/config.h"
#include "daemon/config/config_file.h"
#include "daemon/config/given.h"
#include "daemon/config/settings_in_force.h"

namespace heartbeat {

struct LoadedConfig {
  Config config;
  std::vector<Origin> origins = std::vector<Origin>(all_settings().size());  // by row of all_settings()
  std::string file;                                                          // that was read; empty: none
  std::shared_ptr<const TokenTable> tokens;                                  // null: there is no file of them
  // What the files of each of all_listeners() make; null where it has no TLS.
  std::vector<std::shared_ptr<const tls::Context>> tls;
  std::vector<tls::Context::Expiry> https_expiries;  // of the files of HTTPS
  std::optional<std::uint32_t> control_readers;      // the number of that group
  std::shared_ptr<const TokenTable> http_tokens;     // null: requests need none
  // The texts of HTTP's certificates and key; empty where HTTP is plain.
  std::string http_certificate;
  std::string http_key;

  // Puts a value without faults into force.
  void take(const Given& given);
  // Empties `listen` where it has its default and there are listeners.
  void replace_default_address();
};

// Why a configuration cannot be used: every mistake in it, a line each, and the exit code of a program that
// was started with it (EX_CONFIG for the file, EX_USAGE for the command line).
struct LoadErrors {
  int exit_code;
  std::vector<std::string> lines;
};

// Whether http.listen may be an address that other machines can reach.
[[nodiscard]] bool http_may_be_remote(const Config& config);

// Why http.listen may not be this address: a sentence.
[[nodiscard]] std::string not_loopback(std::string_view address);

[[nodiscard]] tl::expected<LoadedConfig, LoadErrors> load_config(
    const CommandLine& command_line, const std::string& default_file = kDefaultConfigFile);

// The same again, for a daemon that runs on `before`.  A file that was read then has to be there still. Where
// the file of tokens has the same lines, `tokens` is that of before.
[[nodiscard]] tl::expected<LoadedConfig, LoadErrors> reload_config(
    const CommandLine& command_line, const LoadedConfig& before,
    const std::string& default_file = kDefaultConfigFile);

[[nodiscard]] std::vector<SettingInForce> list_settings(const LoadedConfig& loaded);

// The same as a configuration file, which load_config() reads back to the same settings.
[[nodiscard]] std::string print_config(const LoadedConfig& loaded);

}  // namespace heartbeat
