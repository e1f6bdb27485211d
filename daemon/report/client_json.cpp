#include "daemon/report/client_json.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "daemon/report/hold_json.h"
#include "daemon/report/rule_json.h"
#include "daemon/report/standing.h"

namespace heartbeat {
namespace {

// The room that is left of the `all` silent ticks that make a leave, in whole percents.  It is rounded down,
// and only here, so that every view shows the same number, and 100 % only for a clean record.  After a reload
// of the rule more ticks may stand than the new rule has.
double margin(std::uint32_t ticks, std::uint32_t all) {
  const std::uint64_t left = all - std::min(ticks, all);
  const std::uint64_t percent = left * 100 / all;
  return static_cast<double>(percent) / 100;
}

void add_pid(JsonWriter& json, const std::optional<std::uint32_t>& pid) {
  if (pid) json.add("pid", *pid);
}

void add_passage(JsonWriter& json, const Passage* passage) {
  if (passage == nullptr) return;
  if (passage->via) json.add("via", to_string(*passage->via));
  if (!passage->certificate_name.empty()) json.add("certificate", passage->certificate_name);
  if (!passage->token.name.empty()) json.add("token_name", passage->token.name);
}

// The rule only where it may be another than the status has.
void add_group(JsonWriter& json, const Client& client, const ReportContext& context) {
  const std::string_view group = context.monitor.group_name_of(client);
  const bool declares = client.terms != nullptr && client.terms->interval > Millis{0};
  if (!group.empty()) json.add("group", group);
  if (declares) json.add("declared_interval_ms", client.terms->interval);
  if (group.empty() && !declares) return;
  add_rule(json, context.rule_of(client));
}

}  // namespace

void add_client(JsonWriter& json, const Client& client, const ReportContext& context) {
  const Standing standing = standing_of(client, context);
  json.add("name", name_of(client));
  if (!client.id.empty()) json.add("id", client.id);
  json.add("peer", to_string(client.peer));
  add_passage(json, client.passage.get());
  if (!client.claimed_ip.empty()) json.add("ip", client.claimed_ip);
  add_pid(json, client.pid);

  add_group(json, client, context);
  json.add("status", to_string(standing.in_leave() ? Status::Leave : Status::Alive));
  json.add("silence", standing.liveness.silence());
  json.add("strikes", standing.liveness.strikes());
  json.add("steady", standing.liveness.steady());
  json.add("margin", margin(standing.towards_leave, standing.all_towards_leave));
  json.add("margin_least", margin(standing.nearest_to_leave, standing.all_towards_leave));
  if (client.heartbeats > 1) json.add("interval_ms", client.last_gap_ms);
  json.add("last_heard", context.instant(client.last_heard));
  json.add("silent_ms", context.now - client.last_heard);
  json.add("connected", context.instant(client.connected_at));
  json.add("connected_ms", context.now - client.connected_at);
  json.add("heartbeats", client.heartbeats);
  if (client.was_held) json.add("limited", true);
  if (client.held) json.add("unread", true);

  if (client.terms != nullptr && client.terms->quiet_until > context.now) {
    json.add("quiet_until", context.instant(client.terms->quiet_until));
  }
  if (standing.hold != nullptr) {
    json.begin_object("hold");
    add_hold(json, *standing.hold, context.clock);
    json.end_object();
  }

  if (!standing.in_leave()) return;
  json.add("leave_reason", to_string(standing.leave_reason));
  json.add("left", context.instant(standing.left));
  json.add("closes", context.instant(standing.closes));
  if (standing.held) json.add("held", true);
}

void add_client(JsonWriter& json, const ClosedClient& client, const ReportContext& context) {
  json.add("name", client.name);
  const std::string peer = to_string(client.peer);
  if (client.name != peer) json.add("id", client.name);
  json.add("peer", peer);
  add_passage(json, client.passage.get());
  if (!client.claimed_ip.empty()) json.add("ip", client.claimed_ip);
  add_pid(json, client.pid);

  json.add("status", to_string(Status::Close));
  if (!client.group.empty()) json.add("group", client.group.view());
  const std::uint32_t all = ticks_of_a_leave(context.rule_of(client));
  json.add("margin_least", margin(client.nearest_to_leave, all));
  json.add("last_heard", context.instant(client.last_heard));
  json.add("silent_ms", client.closed_at - client.last_heard);
  json.add("connected", context.instant(client.connected_at));
  json.add("connected_ms", client.closed_at - client.connected_at);
  json.add("heartbeats", client.heartbeats);
}

void add_close(JsonWriter& json, const ClosedClient& client, const ReportContext& context) {
  json.begin_object("close");
  json.add("at", context.instant(client.closed_at));
  json.add("reason", to_string(client.reason));
  json.add("by", to_string(client.by));
  if (!client.detail.empty()) json.add("detail", client.detail);
  json.end_object();
}

}  // namespace heartbeat
