// What a reload changes for the clients that are connected: in two steps, of which only the first can fail.
#include <utility>

#include "daemon/core/monitor.h"

namespace heartbeat {

Monitor::NewSettings Monitor::prepare(const Settings& settings, MonoTime now, Effects& effects) {
  while (advance(now, effects)) {
  }
  NewSettings prepared{.settings = settings};
  if (settings.remember != settings_.remember) {
    prepared.closed.emplace(closed_.with_room_for(settings.remember));
  }
  if (brake_.holds() && settings.brake.share_percent == 0) {
    prepared.released.emplace(brake_);
    const std::size_t held = brake_.waiting(now);
    prepared.released->end(BrakeEnd::TurnedOff, now);
    prepared.report = report_ended(prepared.released->spans().back(), held);
    prepared.brake_ended = brake_ended(now, prepared.report);
    effects.make_room();
  }
  return prepared;
}

void Monitor::change_settings(NewSettings&& prepared, MonoTime now, Effects& effects) noexcept {
  const Settings& settings = prepared.settings;
  const bool rule_changes = settings.rule != settings_.rule;
  const bool brake_changes = settings.brake != settings_.brake;
  const bool bounds_change = settings.bounds != settings_.bounds;
  if (prepared.closed) {
    prepared.closed->take_from(closed_);
    closed_ = std::move(*prepared.closed);
  }
  if (prepared.released) {
    brake_ = std::move(*prepared.released);
    last_brake_ = std::move(prepared.report);
    tell(std::move(*prepared.brake_ended), effects);
  }
  if (rule_changes || brake_changes) brake_.change_settings(settings.brake, settings.rule, now);
  if (rule_changes || bounds_change) bounds_since_ = now;
  if (rule_changes) told_of_slow_beats_ = false;  // it was said of the old tick
  if (rule_changes || brake_changes || bounds_change) {
    ++epoch_;
    const bool counted = settings_.bounds.max_clients_per_ip > 0;
    const bool counts = settings.bounds.max_clients_per_ip > 0;
    sweep_ = {.kind = Sweep::Kind::Adopt,
              .at = now,
              .old_rule = settings_.rule,
              .counts_change = counted != counts};
  }
  settings_ = settings;
}

void Monitor::change_settings(const Settings& settings, MonoTime now, Effects& effects) {
  change_settings(prepare(settings, now, effects), now, effects);
}

}  // namespace heartbeat
