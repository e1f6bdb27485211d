#include "daemon/core/time_limit.h"

#include <algorithm>

namespace heartbeat {

TimeLimit time_limit(const Client& client, const Bounds& bounds, const Rule& rule, MonoTime bounds_since,
                     MonoTime now) {
  TimeLimit limit;
  if (!is_limited(client)) return limit;
  const bool in_frame = client.decoder.in_frame() && !client.held;
  Millis hello = hello_timeout(bounds, rule);
  if (client.is_newcomer && hello == Millis{0})
    hello = hello_timeout(Bounds{}, rule);  // it holds a rare place
  if (!has_spoken(client) && hello > Millis{0}) limit.at = client.connected_at + hello;
  if (in_frame && bounds.frame_timeout > Millis{0}) {
    const MonoTime at = now - frame_age(client, now) + bounds.frame_timeout;
    if (at <= limit.at) limit = {at, Reason::FrameTimeout};
  }
  limit.at = std::max(limit.at, bounds_since);
  return limit;
}

MonoTime held_until(const Client& client, const Bounds& bounds, const Rule& rule) {
  return client.last_heard + std::min(client.meter.until_half(bounds.max_rate), hold_max(rule));
}

}  // namespace heartbeat
