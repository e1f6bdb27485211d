// Which group a client is in (group.h), and which rule holds for it.
#include "daemon/core/monitor.h"

namespace heartbeat {

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

// The rule of the group in force, with the interval that it grants the client as the tick.
Rule Monitor::rule_in(GroupNumber group, const Client& client) const {
  Rule rule = state_.settings.rule_of(group);
  if (client.terms == nullptr) return rule;
  const Group* const found = state_.settings.groups.find(group);
  const Bounds& bounds = found == nullptr ? state_.settings.bounds : found->bounds;
  rule.tick = granted_interval(bounds, client.terms->interval).value_or(rule.tick);
  return rule;
}

void Monitor::enter(Client& client, GroupNumber group, const Rule& rule) const noexcept {
  client.group = group;
  if (client.terms == nullptr) return;
  client.terms->rule.reset();
  if (rule != state_.settings.rule_of(group)) client.terms->rule = rule;
}

// A client is in its group, or is about to leave it.
void Monitor::count_in_group(const Client& client, int by) noexcept {
  GroupCount& count = count_of_group(client);
  count.clients += static_cast<std::size_t>(by);  // -1 wraps round to one less
  if (client.liveness.status() != Status::Alive) count.leave += static_cast<std::size_t>(by);
}

StatusCounts Monitor::status_counts(std::string_view group) const {
  const auto number_in = [&](const GroupList& groups) { return groups.number_of(group); };
  const bool is_default = group == kDefaultGroup;
  std::size_t clients = 0;
  std::size_t leave = 0;
  const auto add = [&](const GroupList& groups, const GroupCounts& counts) {
    const GroupNumber number = number_in(groups);
    if (number == kNoGroup && !is_default) return;
    clients += counts.at(number).clients;
    leave += counts.at(number).leave;
  };
  add(state_.settings.groups, group_counts_);
  if (state_.sweep) add(state_.sweep->old_groups, former_group_counts_);
  return {.alive = clients - leave, .leave = leave, .braked = state_.brake.holds()};
}

// Which group a heartbeat puts the client in that gives an id or is the first.
GroupNumber Monitor::match(Client& client, const Heartbeat& heartbeat) const {
  const GroupList& groups = state_.settings.groups;
  if (client.named == kNoGroup) client.named = groups.number_of(heartbeat.group);
  GroupTraits traits = traits_of(client);
  if (!heartbeat.id.empty()) traits.id = heartbeat.id;
  if (const Group* const named = groups.find(client.named)) traits.named = named->name;
  return groups.match(traits);
}

// At a heartbeat that `claims`, being the first or the first that gives an id, or that declares an interval.
// Returns whether another rule holds for the client now.
bool Monitor::regroup(Entry entry, const Heartbeat& heartbeat, bool claims, MonoTime now) {
  Client& client = entry.client;
  if (heartbeat.interval_ms) terms_of(client).interval = Millis{*heartbeat.interval_ms};
  const GroupNumber group = claims ? match(client, heartbeat) : client.group;
  const Rule before = rule_of(client);
  const Rule rule = rule_in(group, client);
  if (group == client.group && rule == before) return false;
  uncount_for_brake(client);
  count_in_group(client, -1);
  enter(client, group, rule);
  count_in_group(client, +1);
  client.liveness.enter_group(before, rule, client.connected_at, now);
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
