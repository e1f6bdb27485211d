// How a client stands at this very moment, whenever it was last looked at.
//
// Clients are judged when something would happen to them, not at each tick, so the numbers kept are those of
// some moments ago.  This judges a copy up to now, and changes nothing.
#pragma once

#include <algorithm>
#include <cstdint>

#include "daemon/core/braked_rule.h"
#include "daemon/core/client.h"
#include "daemon/core/liveness.h"
#include "daemon/core/reason.h"
#include "daemon/report/report_context.h"

namespace heartbeat {

struct Standing {
  Liveness liveness;
  Reason leave_reason;              // meaningless while alive
  std::uint32_t towards_leave;      // silent ticks, see ticks_towards_leave()
  std::uint32_t nearest_to_leave;   // the most they ever were on this connection
  std::uint32_t all_towards_leave;  // the silent ticks that make a leave
  MonoTime left{};                  // in leave: since when; its present period may be a later one
  MonoTime closes{};                // when it ends in a close
  bool held = false;                // that is later than it would be, by the brake on mass closing
  const Hold* hold = nullptr;       // of an operator, that keeps it from being closed; null: none

  [[nodiscard]] bool in_leave() const { return liveness.status() != Status::Alive; }
};

// When the present leave of a client in leave began: as its history has it.
[[nodiscard]] inline MonoTime beginning_of_leave(const Client& client) {
  MonoTime began = client.liveness.left_at();
  if (client.history == nullptr) return began;
  for (const Moment& moment : client.history->oldest_first()) {
    if (moment.kind == Moment::Kind::Left) began = moment.at;
  }
  return began;
}

[[nodiscard]] inline Standing standing_of(const Client& client, const ReportContext& context) {
  const Rule& rule = context.rule_of(client);
  Standing standing{.liveness = client.liveness,
                    .leave_reason = client.leave_reason,
                    .towards_leave = 0,
                    .nearest_to_leave = client.nearest_to_leave,
                    .all_towards_leave = ticks_of_a_leave(rule)};
  const Rule own = rule_for(client, rule, context.monitor.brake());
  while (const auto change = standing.liveness.advance(own, context.now)) {
    if (change->kind == Change::Kind::Left) standing.leave_reason = Reason::Silent;
    if (change->kind == Change::Kind::Expired) break;
  }
  if (on_hold_until(client) > context.now) {
    standing.hold = context.monitor.holds().find(name_of(client), context.now);
  }
  if (standing.in_leave()) {
    const bool is_so_already = client.liveness.status() == Status::Leave;
    standing.left = is_so_already ? beginning_of_leave(client) : standing.liveness.left_at();
    const MonoTime by_hold =
        std::max(standing.liveness.left_at() + rule.leave_timeout, on_hold_until(client));
    standing.closes = std::max(standing.liveness.left_at() + own.leave_timeout, by_hold);
    standing.held = standing.closes > by_hold;
  }
  standing.towards_leave = ticks_towards_leave(standing.liveness, rule);
  standing.nearest_to_leave = std::max(standing.nearest_to_leave, standing.towards_leave);
  return standing;
}

}  // namespace heartbeat
