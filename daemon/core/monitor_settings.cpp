// What a reload changes for the clients that are connected: in two steps, of which only the first can fail.
#include <utility>

#include "daemon/core/monitor.h"

namespace heartbeat {

Monitor::NewSettings Monitor::prepare(const Settings& settings, MonoTime now, Effects& effects) {
  while (advance(now, effects)) {
  }
  NewSettings prepared{.settings = settings, .credentials = credentials_};
  if (settings.remember != state_.settings.remember) {
    prepared.closed.emplace(state_.closed.with_room_for(settings.remember));
  }
  if (state_.brake.holds() && settings.brake.share_percent == 0) {
    prepared.released.emplace(state_.brake);
    const std::size_t held = state_.brake.waiting(now);
    prepared.released->end(BrakeEnd::TurnedOff, now);
    prepared.report = report_ended(prepared.released->spans().back(), held);
    prepared.brake_ended = brake_ended(now, prepared.report);
    effects.make_room();
  }
  return prepared;
}

void Monitor::change_settings(NewSettings&& prepared, MonoTime now, Effects& effects) noexcept {
  const Settings& settings = prepared.settings;
  const bool rule_changes = settings.rule != state_.settings.rule;
  const bool brake_changes = settings.brake != state_.settings.brake;
  const bool bounds_change = settings.bounds != state_.settings.bounds;
  if (prepared.closed) {
    prepared.closed->take_from(state_.closed);
    state_.closed = std::move(*prepared.closed);
  }
  if (prepared.released) {
    state_.brake = std::move(*prepared.released);
    state_.last_brake = std::move(prepared.report);
    tell(std::move(*prepared.brake_ended), effects);
  }
  if (rule_changes || brake_changes) state_.brake.change_settings(settings.brake, settings.rule, now);
  if (rule_changes || bounds_change) state_.bounds_since = now;
  if (rule_changes) state_.conditions.end_at(Condition::Kind::SlowBeats, {}, now);  // it was of the old tick
  const bool credentials_change = prepared.credentials != credentials_ || prepared.check_credentials;
  credentials_ = prepared.credentials;
  if (rule_changes || brake_changes || bounds_change || credentials_change) {
    ++state_.epoch;
    const bool counted = state_.settings.bounds.max_clients_per_ip > 0;
    const bool counts = settings.bounds.max_clients_per_ip > 0;
    state_.sweep = {.kind = Sweep::Kind::Adopt,
                    .at = now,
                    .old_rule = state_.settings.rule,
                    .counts_change = counted != counts};
  }
  state_.settings = settings;
}

void Monitor::change_settings(const Settings& settings, MonoTime now, Effects& effects) {
  change_settings(prepare(settings, now, effects), now, effects);
}

}  // namespace heartbeat
