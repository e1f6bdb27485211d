// What a peer may do before it is at the cost of the others: the settings beside the rule.
#pragma once

#include <algorithm>
#include <cstddef>

#include "common/limits.h"
#include "common/mono_time.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// In each of them 0 is for no bound.
struct Bounds {
  Millis hello_timeout = limits::kHelloTimeoutDefault;  // from the accept to the end of the first heartbeat
  Millis frame_timeout = limits::kFrameTimeoutDefault;  // from a frame's first byte to its last
  unsigned max_rate = limits::kBeatRateDefault;         // heartbeats of one connection in a second
  std::size_t max_clients_per_ip = 0;

  friend bool operator==(const Bounds&, const Bounds&) = default;
};

// How long a connection may stay without a heartbeat at the least, whatever was set: a client that beats once
// a tick may well wait a whole tick before its first one, and its accept may have waited for us.
[[nodiscard]] constexpr Millis hello_timeout(const Bounds& bounds, const Rule& rule) {
  if (bounds.hello_timeout == Millis{0}) return Millis{0};
  return std::max(bounds.hello_timeout, limits::kHelloTicksMin * rule.tick);
}

// How long a connection that beats too fast may stay unread.  Half a tick, so that each of its ticks still
// has a heartbeat in it: being held back never makes a client silent.
[[nodiscard]] constexpr Millis hold_max(const Rule& rule) {
  return std::max(Millis{1}, rule.tick / 2);
}

}  // namespace heartbeat
