// What a reload changes for those who are connected.
#include "daemon/core/monitor.h"

namespace heartbeat {

void Monitor::change_settings(const Settings& settings, MonoTime now, Effects& effects) {
  catch_up(now, effects);
  const bool rule_changes = settings.rule != settings_.rule;
  const bool brake_changes = settings.brake != settings_.brake;
  const bool bounds_change = settings.bounds != settings_.bounds;
  const bool counts_addresses = settings_.bounds.max_clients_per_ip > 0;
  if (rule_changes) restart_ticks(settings.rule, now, effects);
  settings_ = settings;
  closed_.set_max(settings.remember);
  if ((settings.bounds.max_clients_per_ip > 0) != counts_addresses) count_addresses();
  if (rule_changes || bounds_change) bounds_since_ = now;
  if (rule_changes || brake_changes) {
    restart_brake(now, effects);
  } else if (bounds_change) {
    arm_everybody(now);
  }
}

void Monitor::restart_ticks(const Rule& rule, MonoTime now, Effects& effects) {
  for (std::uint32_t slot = 0; slot < registry_.slots(); ++slot) {
    Client* const client = registry_.at(slot);
    if (client == nullptr) continue;
    // Also folds in the silent ticks that nobody has looked at yet: they were ticks of the old rule.
    if (!judge({registry_.conn_of(slot), *client}, now, effects)) continue;
    client->liveness.restart_tick(rule, now);
    client->slow_in_a_row = 0;
  }
  told_of_slow_beats_ = false;  // it was said of the old tick
}

// With the settings that are in force now: what is counted, and when everybody has to be looked at.
void Monitor::restart_brake(MonoTime now, Effects& effects) {
  if (brake_.holds() && settings_.brake.share_percent == 0) {
    const std::size_t held = brake_.waiting(now);
    brake_.end(BrakeEnd::TurnedOff, now);
    tell_brake_ended(now, held, effects);
  }
  brake_.change_settings(settings_.brake, settings_.rule, now);
  for (std::uint32_t slot = 0; slot < registry_.slots(); ++slot) {
    if (Client* const client = registry_.at(slot)) client->counted_by_brake = false;
  }
  arm_everybody(now);
}

void Monitor::arm_everybody(MonoTime now) {
  for (std::uint32_t slot = 0; slot < registry_.slots(); ++slot) {
    if (registry_.at(slot) != nullptr) arm(entry_at(slot), now);
  }
}

void Monitor::count_addresses() {
  addresses_.clear();
  if (settings_.bounds.max_clients_per_ip == 0) return;
  for (std::uint32_t slot = 0; slot < registry_.slots(); ++slot) {
    if (const Client* const client = registry_.at(slot)) addresses_.add(client->peer);
  }
}

}  // namespace heartbeat
