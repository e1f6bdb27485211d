// Holds of operators (holds.h): the orders, and what a hold is for each client.
#include <algorithm>
#include <utility>

#include "daemon/core/braked_rule.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

bool Monitor::hold(const HoldOrder& order, MonoTime now, Effects& effects) {
  now = begin_order(now, effects);
  const Hold hold{
      .clients = {.text = std::string{order.pattern}, .glob = Glob::compile(order.pattern).value()},
      .why = std::string{order.why},
      .uid = order.uid,
      .since = now,
      .until = now + order.length};
  if (!state_.holds.put(Hold{hold})) return false;
  state_.sweep = {.kind = Sweep::Kind::Hold, .at = now};
  tell_hold(Event::Kind::Held, hold, Party::Operator, now, effects);
  return true;
}

bool Monitor::release(std::string_view pattern, std::uint32_t uid, MonoTime now, Effects& effects) {
  now = begin_order(now, effects);
  auto hold = state_.holds.take(pattern);
  if (!hold) return false;
  hold->uid = uid;
  state_.sweep = {.kind = Sweep::Kind::Hold, .at = now};
  tell_hold(Event::Kind::HoldEnded, *hold, Party::Operator, now, effects);
  return true;
}

// What has come before is carried out, and holds that are over by now have ended.
MonoTime Monitor::begin_order(MonoTime now, Effects& effects) {
  finish_sweep(effects);
  now = reach(now);
  while (state_.holds.next() <= now) end_first_hold(effects);
  return now;
}

// The clients have kept until when they are on hold: nothing changes for them.
void Monitor::end_first_hold(Effects& effects) {
  const Hold hold = state_.holds.take_first();
  tell_hold(Event::Kind::HoldEnded, hold, Party::Daemon, hold.until, effects);
}

void Monitor::tell_hold(Event::Kind kind, const Hold& hold, Party by, MonoTime at, Effects& effects) {
  Event event{.kind = kind, .by = by, .at = at};
  event.extra.edit().hold = std::make_shared<const Hold>(hold);
  tell(std::move(event), effects);
}

// The client's name or the holds have changed.  A leave whose end has come by then is not held any more: the
// client is closed at its end, if it does not return at that very instant.
void Monitor::fit_to_holds(Client& client, MonoTime at) {
  const MonoTime before = on_hold_until(client);
  if (state_.holds.all().empty() && before <= at) return;
  const Hold* const hold = state_.holds.find(name_of(client), at);
  const MonoTime until = hold == nullptr ? std::min(before, at) : hold->until;
  if (until == before) return;
  const bool is_in_leave = client.liveness.status() == Status::Leave;
  const Rule own = rule_for(client, rule_of(client), state_.brake);
  const bool is_over = is_in_leave && !client.liveness.will_return(own);
  if (is_over && client.liveness.left_at() + own.leave_timeout <= at) return;
  ClientTerms& terms = terms_of(client);
  uncount_for_brake(client);
  terms.on_hold_until = until;
}

}  // namespace heartbeat
