// Which group a client is in (group.h), and what a change of its group brings.
#include "daemon/core/monitor.h"

namespace heartbeat {

// During a change of the settings, a client's numbers and its rule are those from before until its turn.
const Group* Monitor::group_of(const Client& client) const {
  if (awaits_settings(client)) [[unlikely]] {
    return state_.sweep->old_groups.find(client.group);
  }
  return state_.settings.groups.find(client.group);
}

const Rule& Monitor::rule_of(const Client& client) const {
  if (awaits_settings(client)) [[unlikely]] {
    return state_.sweep->old_rule_of(client.group);
  }
  return state_.settings.rule_of(client.group);
}

const Bounds& Monitor::bounds_of(const Client& client) const {
  const Group* const group = group_of(client);
  return group == nullptr ? state_.settings.bounds : group->bounds;
}

std::string_view Monitor::group_name_of(const Client& client) const {
  const Group* const group = group_of(client);
  return group == nullptr ? std::string_view{} : group->name;
}

GroupTraits Monitor::traits_of(const Client& client) const {
  GroupTraits traits{.id = client.id.view()};
  if (client.listener != kNoListener) traits.listener = &state_.listeners[client.listener];
  if (client.passage != nullptr) traits.credential = credential_name(*client.passage);
  return traits;
}

// At a first heartbeat, or the first that gives an id.  Returns whether the client is in another group now.
bool Monitor::regroup(Entry entry, const Heartbeat& heartbeat, MonoTime now) {
  Client& client = entry.client;
  const GroupList& groups = state_.settings.groups;
  if (groups.all().empty()) return false;
  if (client.named == kNoGroup) client.named = groups.number_of(heartbeat.group);
  GroupTraits traits = traits_of(client);
  if (!heartbeat.id.empty()) traits.id = heartbeat.id;
  if (const Group* const named = groups.find(client.named)) traits.named = named->name;
  const GroupNumber group = groups.match(traits);
  if (group == client.group) return false;
  const Rule& before = rule_of(client);
  uncount_for_brake(client);
  client.group = group;
  client.liveness.enter_group(before, rule_of(client), client.connected_at, now);
  client.slow_in_a_row = 0;
  return true;
}

// The client's numbers for the groups in force, where the settings have changed since its last turn.
Monitor::Membership Monitor::membership_in_force(const Client& client) const {
  if (!state_.sweep->groups_change) return {.group = client.group, .named = client.named};
  const GroupList& groups = state_.settings.groups;
  GroupTraits traits = traits_of(client);
  if (const Group* const named = state_.sweep->old_groups.find(client.named)) traits.named = named->name;
  return {.group = groups.match(traits), .named = groups.number_of(traits.named)};
}

}  // namespace heartbeat
