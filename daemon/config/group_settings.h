// A kind of clients with settings of its own: a [[group]] of the file.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/core/group.h"

namespace heartbeat {

struct Config;

// The settings that a group may have of its own, by their keys.
inline constexpr std::array<std::string_view, 10> kSettingsOfGroup{
    "tick",          "threshold", "cursor",       "recover",      "leave_timeout",
    "hello_timeout", "max_rate",  "interval_min", "interval_max", "quiet_max"};

struct GroupSettings {
  std::string name;
  // The conditions, see daemon/core/group.h.  The patterns and the addresses have been read once.
  std::vector<std::string> ids{};
  std::vector<std::string> credentials{};
  std::vector<std::string> listeners{};
  bool by_name = false;
  // The settings of its own, as the flags of these settings give them: `{"tick", "15min"}`.
  std::vector<std::pair<std::string, std::string>> own{};

  friend bool operator==(const GroupSettings&, const GroupSettings&) = default;
};

// A group in one line, as the flag gives it: `sensors id=probe-*,meter-* tick=15min leave_timeout=2d`.
[[nodiscard]] std::string to_string(const GroupSettings& group);

// Reads what to_string() writes.  The error is a sentence that names the part that is wrong.
[[nodiscard]] tl::expected<GroupSettings, std::string> parse_group(std::string_view text);

// The group as an inline table of TOML: `{ name = "sensors", id = ["probe-*"], tick = "15min" }`.
[[nodiscard]] std::string toml_table(const GroupSettings& group);

// What the core needs: each group with all its settings, the ones that it does not set being the
// configuration's.
[[nodiscard]] GroupList groups_of(const Config& config);

}  // namespace heartbeat
