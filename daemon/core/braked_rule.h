// The rule as it applies to one client while the brake on mass closing delays closes.
#pragma once

#include "daemon/core/client.h"
#include "daemon/core/closing_brake.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// The present leave of a client in leave, if it ends in a close for silence.
[[nodiscard]] inline SilentLeave silent_leave_of(const Client& client, const Rule& rule) {
  const MonoTime began = client.liveness.left_at();
  return {.ends = began + rule.leave_timeout, .began = began};
}

// A leave whose close the brake delays lasts longer: until the brake ends.
[[nodiscard]] inline Rule rule_for(const Client& client, const Rule& rule, const ClosingBrake& brake) {
  Rule own = rule;
  const SilentLeave leave = silent_leave_of(client, rule);
  if (ends_in_silence(client) && brake.delays(leave)) own.leave_timeout = brake.end_of(leave) - leave.began;
  return own;
}

}  // namespace heartbeat
