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
  const bool groups_change = settings.groups != state_.settings.groups;
  const bool rule_changes = settings.rule != state_.settings.rule || groups_change;
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
  end_slow_beats(settings, now);
  const bool credentials_change = prepared.credentials != credentials_ || prepared.check_credentials;
  credentials_ = prepared.credentials;
  if (rule_changes || brake_changes || bounds_change || credentials_change) {
    ++state_.epoch;
    const bool counted = state_.settings.bounds.max_clients_per_ip > 0;
    const bool counts = settings.bounds.max_clients_per_ip > 0;
    state_.sweep = {.kind = Sweep::Kind::Adopt,
                    .at = now,
                    .old_rule = state_.settings.rule,
                    .old_groups = state_.settings.groups,
                    .groups_change = groups_change,
                    .counts_change = counted != counts};
    former_group_counts_ = std::exchange(group_counts_, {});
  }
  state_.settings = settings;
}

// Of the groups that get another rule: the condition was of the old tick.
void Monitor::end_slow_beats(const Settings& settings, MonoTime now) noexcept {
  if (settings.rule != state_.settings.rule) {
    state_.conditions.end_at(Condition::Kind::SlowBeats, {}, now);
  }
  for (const Group& group : state_.settings.groups.all()) {
    const GroupNumber number = settings.groups.number_of(group.name);
    if (number != kNoGroup && settings.rule_of(number) == group.rule) continue;
    state_.conditions.end_at(Condition::Kind::SlowBeats, group.name, now);
  }
}

void Monitor::change_settings(const Settings& settings, MonoTime now, Effects& effects) {
  change_settings(prepare(settings, now, effects), now, effects);
}

}  // namespace heartbeat
