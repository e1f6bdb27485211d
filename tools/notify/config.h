// What notify.toml says: where events come from, and the hooks that they go to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "common/glob.h"
#include "common/mono_time.h"

namespace heartbeat::notify {

struct HookConfig {
  enum class Kind : std::uint8_t { Webhook, Alertmanager, Command };
  enum class Format : std::uint8_t { CloudEvents, Events };

  std::string name;
  Kind kind = Kind::Webhook;
  std::string url{};                   // of a webhook: whole; of an Alertmanager: without /api/v2/alerts
  std::vector<std::string> command{};  // the program's absolute path, and its arguments
  Format format = Format::CloudEvents;
  std::vector<std::string> secrets{};  // names of credentials, at most two; none: requests are not signed
  std::vector<std::string> events{};   // empty: all kinds
  std::optional<Glob> match{};         // of the client's name; events without a client do not match a pattern
  std::vector<std::string> groups{};   // of the client; empty: all.  "default": in no group
  bool held = false;                   // whether clients that an operator holds are told of
  std::vector<std::pair<std::string, std::string>> labels{};  // of each alert
  Millis wait{2000};                                          // for more events of the same batch
  Millis digest{0};        // one summary of what happens in this time; 0: each event
  Millis after{0};         // every event waits for this long, and what did not last is left out
  unsigned flap = 0;       // changes of a client in ten minutes that are delivered one by one; 0: all are
  Millis timeout{30'000};  // of one attempt
  Millis give_up{24LL * 60 * 60 * 1000};
};

struct Config {
  std::string journal = "/var/lib/heartbeatd/events";
  std::string control = "/run/heartbeatd/control.sock";
  std::string ping{};  // asked each `ping_every` while every hook delivers
  Millis ping_every{60'000};
  std::string upstream{};     // HOST:PORT of another heartbeatd; empty: none
  std::string upstream_id{};  // empty: heartbeatd@HOST
  Millis upstream_every{10'000};
  std::string metrics{};  // a file for the node exporter's textfile collector; empty: none
  std::vector<HookConfig> hooks{};
};

// The file's content.  The error is one sentence for each mistake, with the line: `notify.toml:7: …`.
[[nodiscard]] tl::expected<Config, std::vector<std::string>> parse_config(const std::string& text,
                                                                          const std::string& path);

// The same for a file.
[[nodiscard]] tl::expected<Config, std::vector<std::string>> load_config(const std::string& path);

}  // namespace heartbeat::notify
