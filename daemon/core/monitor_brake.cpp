// What the monitor does for the brake on mass closing (closing_brake.h), and what it reports of it.
#include <algorithm>
#include <utility>

#include "daemon/core/braked_rule.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

// The instant that the brake announced: it takes hold, lets go, or lets the clients that are due be closed.
void Monitor::advance_brake(Effects& effects) {
  if (brake_.holds()) {
    const MonoTime until = brake_.next();
    const std::size_t held = brake_.waiting(until);
    brake_.advance(registry_.size());
    tell_brake_ended(until, held, effects);
  } else if (brake_.advance(registry_.size())) {
    sweep_ = {.kind = Sweep::Kind::Report, .at = brake_.spans().back().from};
  }
}

std::optional<std::size_t> Monitor::end_brake(BrakeEnd how, MonoTime now, Effects& effects) {
  finish_sweep(effects);
  now = reach(now);
  if (!brake_.holds()) return {};
  const bool renews = how == BrakeEnd::Released;
  const std::size_t held = renews ? silent_ : brake_.waiting(now);
  brake_.end(how, now);
  sweep_ = {.kind = renews ? Sweep::Kind::Renew : Sweep::Kind::Arm, .at = now};
  tell_brake_ended(now, held, effects);
  return held;
}

void Monitor::tell_brake_taken(const BrakeReport& report, Effects& effects) {
  last_brake_ = std::make_shared<const BrakeReport>(report);
  Event event{.kind = Event::Kind::Braked, .at = report.span.from};
  event.extra.edit().brake = last_brake_;
  tell(std::move(event), effects);
}

void Monitor::tell_brake_ended(MonoTime at, std::size_t held, Effects& effects) {
  last_brake_ = report_ended(brake_.spans().back(), held);
  tell(brake_ended(at, last_brake_), effects);
}

std::shared_ptr<const BrakeReport> Monitor::report_ended(const BrakeSpan& span, std::size_t held) const {
  BrakeReport report = *last_brake_;  // it was reported when it took hold
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
// silence. A client that is about to return counts no more, except while the brake delays its close: it waits
// until then.
void Monitor::count_for_brake(Client& client) {
  const MonoTime left = client.liveness.left_at();
  const bool waits = brake_.holds() && brake_.delays(left);
  const bool counts = ends_in_silence(client) &&
                      (waits || !client.liveness.will_return(rule_for(client, settings_.rule, brake_)));
  if (counts == client.counted_by_brake) return;
  counts ? brake_.add(left) : brake_.remove(left);
  client.counted_by_brake = counts;  // after what may fail
}

void Monitor::uncount_for_brake(Client& client) noexcept {
  if (!std::exchange(client.counted_by_brake, false)) return;
  brake_.remove(client.liveness.left_at());
}

// The monitor's number for a listener that connections come by.
std::uint8_t Monitor::number_of(const std::optional<Endpoint>& listener) {
  if (!listener) return kNoListener;
  const auto known = std::find(listeners_.begin(), listeners_.end(), *listener);
  const auto number = static_cast<std::size_t>(known - listeners_.begin());
  if (known != listeners_.end()) return static_cast<std::uint8_t>(number);
  if (number == kNoListener) return kNoListener;
  listeners_.push_back(*listener);
  return static_cast<std::uint8_t>(number);
}

}  // namespace heartbeat
