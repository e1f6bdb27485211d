// What the monitor does for the brake on mass closing (closing_brake.h), and what it reports of it.
#include <algorithm>
#include <utility>

#include "daemon/core/braked_rule.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

// The instant that the brake announced: it takes hold, lets go, or lets the clients that are due be closed.
void Monitor::advance_brake(Effects& effects) {
  if (state_.brake.holds()) {
    const MonoTime until = state_.brake.next();
    const std::size_t held = state_.brake.waiting(until);
    state_.brake.advance(state_.clients.size() - replaced_);
    tell_brake_ended(until, held, effects);
  } else if (state_.brake.advance(state_.clients.size() - replaced_)) {
    state_.sweep = {.kind = Sweep::Kind::Report, .at = state_.brake.spans().back().from};
  }
}

std::optional<std::size_t> Monitor::end_brake(BrakeEnd how, MonoTime now, Effects& effects) {
  finish_sweep(effects);
  now = reach(now);
  if (!state_.brake.holds()) return {};
  const bool renews = how == BrakeEnd::Released;
  const std::size_t held = renews ? silent_ : state_.brake.waiting(now);
  state_.brake.end(how, now);
  state_.sweep = {.kind = renews ? Sweep::Kind::Renew : Sweep::Kind::Arm, .at = now};
  tell_brake_ended(now, held, effects);
  return held;
}

void Monitor::tell_brake_taken(const BrakeReport& report, Effects& effects) {
  state_.last_brake = std::make_shared<const BrakeReport>(report);
  Event event{.kind = Event::Kind::Braked, .at = report.span.from};
  event.extra.edit().brake = state_.last_brake;
  tell(std::move(event), effects);
}

void Monitor::tell_brake_ended(MonoTime at, std::size_t held, Effects& effects) {
  state_.last_brake = report_ended(state_.brake.spans().back(), held);
  tell(brake_ended(at, state_.last_brake), effects);
}

std::shared_ptr<const BrakeReport> Monitor::report_ended(const BrakeSpan& span, std::size_t held) const {
  BrakeReport report = *state_.last_brake;  // it was reported when it took hold
  report.span = span;
  report.held = held;
  return std::make_shared<const BrakeReport>(std::move(report));
}

Event Monitor::brake_ended(MonoTime at, const std::shared_ptr<const BrakeReport>& report) {
  Event event{.kind = Event::Kind::BrakeEnded, .at = at};
  event.extra.edit().brake = report;
  return event;
}

// Must be called whenever something changed that decides whether the client's leave ends in a close for
// silence.  One whose program has another connection by now is no client that would be missed.  A client that
// is about to return counts no more, except while the brake delays its close: it waits until then.
void Monitor::count_for_brake(Client& client) {
  const Rule& rule = rule_of(client);
  const SilentLeave leave = silent_leave_of(client, rule);
  const bool waits = state_.brake.holds() && state_.brake.delays(leave);
  const bool counts = ends_in_silence(client) && !client.is_replaced &&
                      (waits || !client.liveness.will_return(rule_for(client, rule, state_.brake)));
  if (counts == client.counted_by_brake) return;
  counts ? state_.brake.add(leave) : state_.brake.remove(leave);
  client.counted_by_brake = counts;  // after what may fail
}

void Monitor::uncount_for_brake(Client& client) noexcept {
  if (!std::exchange(client.counted_by_brake, false)) return;
  state_.brake.remove(silent_leave_of(client, rule_of(client)));
}

// The monitor's number for a listener that connections come by.
std::uint8_t Monitor::number_of(const std::optional<Endpoint>& listener) {
  if (!listener) return kNoListener;
  const auto known = std::find(state_.listeners.begin(), state_.listeners.end(), *listener);
  const auto number = static_cast<std::size_t>(known - state_.listeners.begin());
  if (known != state_.listeners.end()) return static_cast<std::uint8_t>(number);
  if (number == kNoListener) return kNoListener;
  state_.listeners.push_back(*listener);
  return static_cast<std::uint8_t>(number);
}

}  // namespace heartbeat
