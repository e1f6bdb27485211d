// Where clients connect, and what holds for the connections that come in there: a [[listener]] of the file.
#pragma once

#include <array>
#include <optional>
#include <span>
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

// TLS at a listener.  Paths have no spaces; an empty path, where one may be empty, is for no file.
struct ListenerTls {
  std::string certificate{};        // the path of the file with the server's certificates
  std::string key{};                // empty: it is in the same file
  std::string client_ca{};          // empty: no certificate of the client is asked for
  std::string client_crl{};         // may be empty
  std::string min_version = "1.3";  // or "1.2"
  std::string identity = "cn";      // or "san"

  friend bool operator==(const ListenerTls&, const ListenerTls&) = default;
};

// An option of ListenerTls, in the file and in the line.
struct TlsOption {
  std::string_view name;
  std::string ListenerTls::*member;
  std::span<const std::string_view> choices{};  // empty: it is a path
};
[[nodiscard]] std::span<const TlsOption> tls_options();

// What is wrong with a value of that option: a sentence, or nothing.
[[nodiscard]] std::optional<std::string> fault_of(const TlsOption& option, std::string_view value);

struct Listener {
  HostPort address;
  // The proxies of this listener; nothing: those of the setting proxy_from.
  std::optional<std::vector<Network>> proxy_from{};
  std::optional<std::string> require{};   // one of kRequirements; nothing: the setting require
  std::optional<ListenerTls> tls{};       // nothing: bytes are plain
  std::optional<unsigned> accept_rate{};  // nothing: the default, see accept_rate_of()

  friend bool operator==(const Listener&, const Listener&) = default;
};

// A listener in one line, as the flag gives it:
// `0.0.0.0:14000 proxy_from=10.0.0.5,10.1.0.0/16 require=certificate tls_certificate=/etc/server.pem`.  An
// empty list, `proxy_from=`, is a listener without proxies.
[[nodiscard]] std::string to_string(const Listener& listener);

// Reads what to_string() writes.  The error is a sentence that names the part that is wrong.
[[nodiscard]] tl::expected<Listener, std::string> parse_listener(std::string_view text);

// A printable text as a string of TOML.
[[nodiscard]] std::string toml_string(std::string_view text);

// The listener as an inline table of TOML: `{ address = "0.0.0.0:14000", proxy_from = ["10.0.0.5"] }`.
[[nodiscard]] std::string toml_table(const Listener& listener);

// Connections that it accepts in a second; 0 for no bound but the daemon's.
[[nodiscard]] unsigned accept_rate_of(const Listener& listener);

// All listeners of a configuration: those of `listen` first, then those of `listener`.  The settings
// proxy_from and require have been filled in, so that each listener has its own.
[[nodiscard]] std::vector<Listener> all_listeners(const Config& config);

}  // namespace heartbeat
