// What the monitor does for the brake on mass closing (closing_brake.h), and what it tells of it.
#include <utility>

#include "daemon/core/monitor.h"

namespace heartbeat {

// The instant that the brake announced: it takes hold, lets go, or lets those that are due be closed.
void Monitor::advance_brake(Effects& effects) {
  if (brake_.holds()) {
    const MonoTime until = brake_.next();
    const std::size_t held = brake_.waiting(until);
    brake_.advance(registry_.size());
    tell_brake_ended(until, held, effects);
  } else if (brake_.advance(registry_.size())) {
    tell_brake_taken(effects);
  }
}

std::optional<std::size_t> Monitor::end_brake(BrakeEnd how, MonoTime now, Effects& effects) {
  catch_up(now, effects);
  if (!brake_.holds()) return {};
  std::size_t held = count_waiting(now);
  brake_.end(how, now);
  if (how == BrakeEnd::Released) held = renew_leaves(now);
  tell_brake_ended(now, held, effects);
  if (how != BrakeEnd::Released) close_waiting(now, effects);
  return held;
}

// Everybody whose leave should have ended by now, whether or not it would return in this tick.
std::size_t Monitor::count_waiting(MonoTime now) const {
  std::size_t count = 0;
  for (std::uint32_t slot = 0; slot < registry_.slots(); ++slot) {
    const Client* const client = registry_.at(slot);
    if (client == nullptr || !ends_in_silence(*client)) continue;
    if (client->liveness.left_at() + settings_.rule.leave_timeout <= now) ++count;
  }
  return count;
}

// The brake has ended: those whose close it delayed are due, and the others when they would be without it.
void Monitor::close_waiting(MonoTime now, Effects& effects) {
  for (std::uint32_t slot = 0; slot < registry_.slots(); ++slot) {
    Client* const client = registry_.at(slot);
    if (client == nullptr || !ends_in_silence(*client)) continue;
    const Entry entry{registry_.conn_of(slot), *client};
    if (judge(entry, now, effects)) arm(entry, now);
  }
}

// Everybody who is in leave after silence gets a new leave period.  Returns how many.
std::size_t Monitor::renew_leaves(MonoTime now) {
  std::size_t count = 0;
  for (std::uint32_t slot = 0; slot < registry_.slots(); ++slot) {
    Client* const client = registry_.at(slot);
    if (client == nullptr || !ends_in_silence(*client)) continue;
    uncount_for_brake(*client);
    client->liveness.renew_leave(now);
    note(*client, {.at = now, .kind = Moment::Kind::Renewed});
    arm({registry_.conn_of(slot), *client}, now);
    ++count;
  }
  return count;
}

void Monitor::tell_brake_taken(Effects& effects) {
  last_brake_ = std::make_shared<const BrakeReport>(report_concerned());
  Event event{.kind = Event::Kind::Braked, .at = last_brake_->span.from};
  event.brake = last_brake_;
  tell(std::move(event), effects);
}

void Monitor::tell_brake_ended(MonoTime at, std::size_t held, Effects& effects) {
  // Where there was no memory to tell that it took hold, there is none.
  BrakeReport report = last_brake_ ? *last_brake_ : BrakeReport{.span = brake_.spans().back()};
  report.span = brake_.spans().back();
  report.held = held;
  last_brake_ = std::make_shared<const BrakeReport>(std::move(report));
  Event event{.kind = Event::Kind::BrakeEnded, .at = at};
  event.brake = last_brake_;
  tell(std::move(event), effects);
}

// What the clients have in common for whose sake the brake has just taken hold.
BrakeReport Monitor::report_concerned() const {
  BrakeReport report{.span = brake_.spans().back()};
  CommonSubnet subnet;
  std::optional<std::uint8_t> listener;
  bool one_listener = true;
  for (std::uint32_t slot = 0; slot < registry_.slots(); ++slot) {
    const Client* const client = registry_.at(slot);
    if (client == nullptr || !client->counted_by_brake) continue;
    if (!brake_.concerns(client->liveness.left_at())) continue;
    if (!listener) report.heard_first = report.heard_last = client->last_heard;
    report.heard_first = std::min(report.heard_first, client->last_heard);
    report.heard_last = std::max(report.heard_last, client->last_heard);
    subnet.add(client->peer);
    one_listener = one_listener && (!listener || *listener == client->listener);
    listener = client->listener;
  }
  report.subnet = subnet.text();
  if (one_listener && listener && *listener != kNoListener) report.listener = listeners_.at(*listener);
  return report;
}

// To be called whenever something changed that decides whether the client's leave ends in a close for
// silence.
void Monitor::count_for_brake(Client& client) {
  const bool counts =
      ends_in_silence(client) && !client.liveness.will_return(rule_for(client, settings_.rule, brake_));
  if (counts == client.counted_by_brake) return;
  counts ? brake_.add(client.liveness.left_at()) : brake_.remove(client.liveness.left_at());
  client.counted_by_brake = counts;  // after what may fail
}

void Monitor::uncount_for_brake(Client& client) {
  if (!std::exchange(client.counted_by_brake, false)) return;
  brake_.remove(client.liveness.left_at());
}

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
