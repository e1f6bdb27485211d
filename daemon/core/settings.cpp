#include "daemon/core/settings.h"

#include <algorithm>

namespace heartbeat {

Rule Settings::finest_rule() const {
  Rule finest = rule;
  const auto take = [&](const Rule& other, const Bounds& its_bounds) {
    const bool grants = its_bounds.interval_max > Millis{0};
    const Millis shortest = grants ? std::min(other.tick, its_bounds.interval_min) : other.tick;
    if (shortest > finest.tick) return;
    finest = other;
    finest.tick = shortest;
  };
  take(rule, bounds);
  for (const Group& group : groups.all()) take(group.rule, group.bounds);
  return finest;
}

Millis Settings::shortest_leave() const {
  Millis shortest = rule.leave_timeout;
  for (const Group& group : groups.all()) shortest = std::min(shortest, group.rule.leave_timeout);
  return shortest;
}

}  // namespace heartbeat
