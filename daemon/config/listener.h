// Where clients connect, and what holds for the connections that come in there: a [[listener]] of the file.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/endpoint.h"
#include "common/network.h"

namespace heartbeat {

struct Config;

// What a client can be required to prove.
inline constexpr std::array<std::string_view, 3> kRequirements{"none", "certificate", "token"};

struct Listener {
  HostPort address;
  // The proxies of this listener; nothing: those of the setting proxy_from.
  std::optional<std::vector<Network>> proxy_from{};
  std::optional<std::string> require{};  // one of kRequirements; nothing: the setting require

  friend bool operator==(const Listener&, const Listener&) = default;
};

// A listener in one line, as the flag gives it:
// `0.0.0.0:14000 proxy_from=10.0.0.5,10.1.0.0/16 require=certificate`.  An empty list, `proxy_from=`, is a
// listener without proxies.
[[nodiscard]] std::string to_string(const Listener& listener);

// Reads what to_string() writes.  The error is a sentence that names the part that is wrong.
[[nodiscard]] tl::expected<Listener, std::string> parse_listener(std::string_view text);

// A printable text as a string of TOML.
[[nodiscard]] std::string toml_string(std::string_view text);

// The listener as an inline table of TOML: `{ address = "0.0.0.0:14000", proxy_from = ["10.0.0.5"] }`.
[[nodiscard]] std::string toml_table(const Listener& listener);

// All listeners of a configuration: those of `listen` first, then those of `listener`.  The settings
// proxy_from and require have been filled in, so that each listener has its own.
[[nodiscard]] std::vector<Listener> all_listeners(const Config& config);

}  // namespace heartbeat
