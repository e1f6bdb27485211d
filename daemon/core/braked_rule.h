// The rule as it applies to one client while the brake on mass closing delays closes.
#pragma once

#include "daemon/core/client.h"
#include "daemon/core/closing_brake.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// A leave whose close the brake delays lasts longer: until the brake ends.
[[nodiscard]] inline Rule rule_for(const Client& client, const Rule& rule, const ClosingBrake& brake) {
  Rule own = rule;
  if (ends_in_silence(client) && brake.delays(client.liveness.left_at())) {
    own.leave_timeout = brake.end_of(client.liveness.left_at()) - client.liveness.left_at();
  }
  return own;
}

}  // namespace heartbeat
