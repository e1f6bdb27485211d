// What a peer may do before it is at the cost of the others: the settings beside the rule.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

#include "common/limits.h"
#include "common/mono_time.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// In each of the first four 0 is for no bound.
struct Bounds {
  Millis hello_timeout = limits::kHelloTimeoutDefault;  // from the accept to the end of the first heartbeat
  Millis frame_timeout = limits::kFrameTimeoutDefault;  // from a frame's first byte to its last
  unsigned max_rate = limits::kBeatRateDefault;         // heartbeats of one connection in a second
  std::size_t max_clients_per_ip = 0;

  // What a client may declare of itself; the maximum 0: nothing, and what it declares is ignored.
  Millis interval_min{1000};  // the shortest tick that a declared interval is granted
  Millis interval_max{0};
  Millis quiet_max{0};  // the longest silence that a client can announce

  friend bool operator==(const Bounds&, const Bounds&) = default;
};

// What holds for one client at a moment: by its group, and by what it declared.
struct InForce {
  const Rule& rule;
  const Bounds& bounds;
};

// How long a connection may stay without a heartbeat at the least, whatever was set: a client that beats once
// a tick may well wait a whole tick before its first one, and its accept may have waited for us.
[[nodiscard]] constexpr Millis hello_timeout(const Bounds& bounds, const Rule& rule) {
  if (bounds.hello_timeout == Millis{0}) return Millis{0};
  return std::max(bounds.hello_timeout, limits::kHelloTicksMin * rule.tick);
}

// The tick that a client gets for the interval that it declared; nothing where it gets that of its group.
[[nodiscard]] constexpr std::optional<Millis> granted_interval(const Bounds& bounds, Millis declared) {
  if (declared == Millis{0} || bounds.interval_max == Millis{0}) return {};
  return std::clamp(declared, bounds.interval_min, bounds.interval_max);
}

// How long a connection that beats too fast may stay unread.  Half a tick, so that each of its ticks still
// has a heartbeat in it: being held back never makes a client silent.
[[nodiscard]] constexpr Millis hold_max(const Rule& rule) {
  return std::max(Millis{1}, rule.tick / 2);
}

}  // namespace heartbeat
