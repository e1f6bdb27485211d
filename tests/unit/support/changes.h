// All that the passing of time did to a client, up to an instant.
#pragma once

#include <vector>

#include "daemon/core/liveness.h"

namespace heartbeat::test {

[[nodiscard]] inline std::vector<Change> changes_until(MonoTime now, Liveness& liveness, const Rule& rule) {
  std::vector<Change> changes;
  while (const auto change = liveness.advance(rule, now)) changes.push_back(*change);
  return changes;
}

}  // namespace heartbeat::test
