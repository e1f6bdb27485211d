// What a reload changes for the clients that are connected.
#include "daemon/core/monitor.h"

namespace heartbeat {

void Monitor::change_settings(const Settings& settings, MonoTime now, Effects& effects) {
  while (advance(now, effects)) {
  }
  const bool rule_changes = settings.rule != settings_.rule;
  const bool brake_changes = settings.brake != settings_.brake;
  const bool bounds_change = settings.bounds != settings_.bounds;
  closed_.set_max(settings.remember);
  if (brake_.holds() && settings.brake.share_percent == 0) {
    const std::size_t held = brake_.waiting(now);
    brake_.end(BrakeEnd::TurnedOff, now);
    tell_brake_ended(now, held, effects);
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

}  // namespace heartbeat
