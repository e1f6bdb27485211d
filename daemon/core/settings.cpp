#include "daemon/core/settings.h"

#include <algorithm>

namespace heartbeat {

const Rule& Settings::finest_rule() const {
  const Rule* finest = &rule;
  for (const Group& group : groups.all()) {
    if (group.rule.tick < finest->tick) finest = &group.rule;
  }
  return *finest;
}

Millis Settings::shortest_leave() const {
  Millis shortest = rule.leave_timeout;
  for (const Group& group : groups.all()) shortest = std::min(shortest, group.rule.leave_timeout);
  return shortest;
}

}  // namespace heartbeat
