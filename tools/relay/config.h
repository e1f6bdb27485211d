// The configuration of heartbeat-relay: /etc/heartbeatd/relay.toml, or another file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "common/endpoint.h"
#include "common/mono_time.h"
#include "tools/relay/publisher.h"

namespace heartbeat::relay {

struct Config {
  std::string fleet{};
  std::string node{};  // empty in the file: the host's name

  // Where Redis is: at `redis`, or where the Sentinels say that the master of that name is.
  std::vector<HostPort> redis{};
  std::vector<HostPort> sentinels{};
  std::string master{};

  std::string user{};
  std::string password_file{};
  bool tls = false;
  std::string tls_ca{};  // empty: the system's authorities
  std::string tls_certificate{};
  std::string tls_key{};

  std::string control = "/run/heartbeatd/control.sock";
  std::string journal = "/var/lib/heartbeatd/events";
  std::string metrics{};  // a file for the node exporter's textfile collector; empty: none
  std::string page{};     // the address of the daemon's status page, for the fleet's
  Millis lease{15'000};
  std::size_t records_max = kRecordsMaxDefault;

  friend bool operator==(const Config&, const Config&) = default;
};

inline constexpr Millis kLeaseMin{1'000};
inline constexpr Millis kLeaseMax{3'600'000};
inline constexpr std::size_t kRecordsMaxLeast = 100;
inline constexpr std::size_t kRecordsMaxMost = 1'048'576;
inline constexpr std::size_t kSentinelsMax = 16;

// The errors are sentences, each with the file and the line.
[[nodiscard]] tl::expected<Config, std::vector<std::string>> parse_config(const std::string& text,
                                                                          const std::string& path);
[[nodiscard]] tl::expected<Config, std::vector<std::string>> load_config(const std::string& path);

// The first line of the password's file; empty where the configuration names none.  The error is a sentence.
[[nodiscard]] tl::expected<std::string, std::string> read_password(const Config& config);

}  // namespace heartbeat::relay
