// The kinds of clients of a run: which group they declare, and how often they beat.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/mono_time.h"

namespace heartbeat::sim {

struct ClientKind {
  std::string group;   // that its first heartbeat names
  Millis interval{0};  // between its heartbeats, and declared

  friend bool operator==(const ClientKind&, const ClientKind&) = default;
};

// Reads `game=1s,battery=15min`: at most limits::kGroupsMax kinds, each of another group.  The error is a
// sentence that names the text.
[[nodiscard]] tl::expected<std::vector<ClientKind>, std::string> parse_kinds(std::string_view text);

}  // namespace heartbeat::sim
