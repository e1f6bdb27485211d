// The rule as it applies to one client while the brake on mass closing, or a hold, delays closes.
#pragma once

#include <algorithm>

#include "daemon/core/client.h"
#include "daemon/core/closing_brake.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// The present leave of a client in leave, if it ends in a close.  A leave that would end while an operator
// holds the client lasts until the end of the hold.
[[nodiscard]] inline SilentLeave silent_leave_of(const Client& client, const Rule& rule) {
  const MonoTime began = client.liveness.left_at();
  return {.ends = std::max(began + rule.leave_timeout, on_hold_until(client)), .began = began};
}

// A leave whose close the brake or a hold delays lasts longer than the rule says.
[[nodiscard]] inline Rule rule_for(const Client& client, const Rule& rule, const ClosingBrake& brake) {
  Rule own = rule;
  if (client.liveness.status() != Status::Leave) return own;
  const SilentLeave leave = silent_leave_of(client, rule);
  own.leave_timeout = (ends_in_silence(client) ? brake.end_of(leave) : leave.ends) - leave.began;
  return own;
}

}  // namespace heartbeat
