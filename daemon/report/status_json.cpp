#include "daemon/report/status_json.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "daemon/report/brake_json.h"

namespace heartbeat {
namespace {

void add_heartbeats(JsonWriter& json, const Counters& counters, const Rate& rate) {
  json.begin_object("heartbeats");
  json.add("total", counters.heartbeats);
  json.begin_object("per_second");
  json.add("1", rate.over(1));
  json.add("10", rate.over(10));
  json.add("60", rate.over(60));
  json.end_object();
  json.end_object();
}

void add_totals(JsonWriter& json, const Counters& counters) {
  json.begin_object("totals");
  json.add("connected", counters.connected);
  json.add("refused", counters.refused);
  json.add("joins", counters.joins);
  json.add("strikes", counters.strikes);
  json.add("leaves", counters.leaves);
  json.add("returns", counters.returns);
  json.add("takeovers", counters.takeovers);
  json.add("probes", counters.probes);
  json.add("limited", counters.limited);
  json.end_object();
}

// Those that occurred, by their names.
template <class Kind, std::size_t Size>
void add_occurred(JsonWriter& json, std::string_view key, const std::array<std::uint64_t, Size>& counts) {
  json.begin_object(key);
  for (std::size_t kind = 0; kind < Size; ++kind) {
    if (counts.at(kind) > 0) json.add(to_string(static_cast<Kind>(kind)), counts.at(kind));
  }
  json.end_object();
}

void add_accepting(JsonWriter& json, const Doors& doors) {
  json.begin_object("accepting");
  json.add("paused", doors.gate.is_paused);
  json.add("pauses", doors.gate.pauses);
  json.add("paused_ms", doors.gate.paused);
  json.add("rate", doors.gate.rate);
  json.begin_object("shortages");
  json.add("clients", doors.shortages.clients);
  json.add("control", doors.shortages.control);
  json.add("http", doors.shortages.http);
  json.end_object();
  json.end_object();
  json.begin_object("control");
  json.add("sessions", doors.control.sessions);
  json.add("displaced", doors.control.displaced);
  json.add("refused", doors.control.refused);
  json.end_object();
}

// The last that is remembered of its kind; null where there is none.
const Monitor::Stall* last_stall(const Monitor& monitor, bool suspended) {
  const auto& stalls = monitor.stalls();
  const auto found = std::find_if(stalls.rbegin(), stalls.rend(),
                                  [&](const Monitor::Stall& stall) { return stall.suspended == suspended; });
  return found == stalls.rend() ? nullptr : &*found;
}

void add_stalls(JsonWriter& json, const Monitor& monitor, const WallClock& clock) {
  json.begin_object("stalls");
  json.add("count", monitor.counters().stalls);
  json.add("total_ms", monitor.counters().stalled);
  if (const Monitor::Stall* const last = last_stall(monitor, false)) {
    json.add("worst_ms", monitor.counters().worst_stall);
    json.add("last", format_instant(clock.at(last->at)));
    json.add("last_ms", last->length);
  }
  json.end_object();
  json.begin_object("suspensions");
  json.add("count", monitor.counters().suspensions);
  json.add("total_ms", monitor.counters().suspended);
  if (const Monitor::Stall* const last = last_stall(monitor, true)) {
    json.add("last", format_instant(clock.at(last->at)));
    json.add("last_ms", last->length);
  }
  json.end_object();
}

void add_lateness(JsonWriter& json, std::string_view key, const Histogram& lateness) {
  json.begin_object(key);
  json.add("count", lateness.count());
  json.add("p50", lateness.quantile(0.50));
  json.add("p99", lateness.quantile(0.99));
  json.add("max", lateness.max());
  json.end_object();
}

}  // namespace

void add_status(JsonWriter& json, const DaemonStatus& status, const WallClock& clock, MonoTime now) {
  const Monitor& monitor = status.monitor;
  json.add("version", HEARTBEAT_VERSION);
  json.add("boot", status.boot.id);
  json.add("pid", status.boot.pid);
  const WallTime wall_now = clock.at(now);
  json.add("now", format_instant(wall_now));
  json.add("started", format_instant(status.boot.started));
  json.add("uptime_ms", wall_now - status.boot.started);
  json.begin_array("listening");
  for (const Endpoint& at : status.listening) json.value(to_string(at));
  json.end_array();

  const StatusCounts clients = monitor.status_counts();
  json.begin_object("clients");
  json.add("alive", clients.alive);
  json.add("leave", clients.leave);
  json.add("max", monitor.settings().clients_max);
  json.end_object();
  json.add("remembered", monitor.closed_clients().size());

  add_heartbeats(json, monitor.counters(), status.heartbeats);
  add_totals(json, monitor.counters());
  add_occurred<Reason>(json, "closes", monitor.counters().closes);
  add_occurred<Refusal>(json, "refused", monitor.counters().refusals);
  add_occurred<BadInput>(json, "bad_input", monitor.counters().bad_input);

  add_accepting(json, status.doors);
  add_stalls(json, monitor, clock);
  add_brake_state(json, monitor, clock, now);
  add_lateness(json, "loop_lateness_ms", status.loop_lateness);
  add_lateness(json, "verdict_lateness_ms", monitor.verdict_lateness());
  json.begin_object("pauses");
  json.add("longest_ms", status.pause_longest);
  json.add("count", status.pauses);
  json.add("total_ms", status.paused);
  json.end_object();
  json.add("memory_bytes", status.usage.memory_bytes);
  json.begin_object("descriptors");
  json.add("used", status.usage.descriptors_used);
  json.add("limit", status.usage.descriptors_limit);
  json.end_object();

  json.begin_object("feed");
  json.add("next", status.feed.next());
  json.add("oldest", status.feed.oldest());
  json.end_object();
  const Rule& rule = monitor.settings().rule;
  json.begin_object("rule");
  json.add("tick_ms", rule.tick);
  json.add("threshold", rule.threshold);
  json.add("cursor", rule.cursor);
  json.add("recover", rule.recover);
  json.add("leave_timeout_ms", rule.leave_timeout);
  json.end_object();
}

}  // namespace heartbeat
