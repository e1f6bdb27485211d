#include "daemon/report/status_json.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <variant>

#include "daemon/report/brake_json.h"
#include "daemon/report/conditions_json.h"
#include "daemon/report/drain_json.h"
#include "daemon/report/hold_json.h"
#include "daemon/report/rule_json.h"

namespace heartbeat {
namespace {

// The figures of one group, in the order of the table.
void add_members(JsonWriter& json, std::string_view group, const Figures& figures) {
  for (const Figure& figure : all_figures()) {
    if (figure.group != group || figure.member.empty()) continue;
    std::visit([&](const auto& value) { json.add(figure.member, value); }, figure.value(figures));
  }
}

void add_group(JsonWriter& json, std::string_view group, const Figures& figures) {
  json.begin_object(group);
  add_members(json, group, figures);
  json.end_object();
}

void add_heartbeats(JsonWriter& json, const Figures& figures) {
  json.begin_object("heartbeats");
  add_members(json, "heartbeats", figures);
  json.begin_object("per_second");
  json.add("1", figures.heartbeats.over(1));
  json.add("10", figures.heartbeats.over(10));
  json.add("60", figures.heartbeats.over(60));
  json.end_object();
  json.end_object();
}

// The ones that occurred, by their names.
template <class Kind, std::size_t Size>
void add_occurred(JsonWriter& json, std::string_view key, const std::array<std::uint64_t, Size>& counts) {
  json.begin_object(key);
  for (std::size_t kind = 0; kind < Size; ++kind) {
    if (counts.at(kind) > 0) json.add(to_string(static_cast<Kind>(kind)), counts.at(kind));
  }
  json.end_object();
}

// The last that is remembered of its kind; null where none is remembered.
const Stall* last_stall(const Monitor& monitor, Stall::Cause cause) {
  const auto& stalls = monitor.stalls();
  const auto found = std::find_if(stalls.rbegin(), stalls.rend(), [&](const Stall& stall) {
    const bool is_restart = stall.cause == Stall::Cause::Crashed && cause == Stall::Cause::Restarted;
    return stall.cause == cause || is_restart;
  });
  return found == stalls.rend() ? nullptr : &*found;
}

void add_accepting(JsonWriter& json, const Figures& figures) {
  json.begin_object("accepting");
  add_members(json, "accepting", figures);
  json.begin_object("shortages");
  add_members(json, "accepting.shortages", figures);
  json.end_object();
  json.end_object();
}

void add_stalls(JsonWriter& json, std::string_view group, Stall::Cause cause, const Figures& figures,
                const WallClock& clock) {
  json.begin_object(group);
  add_members(json, group, figures);
  if (const Stall* const last = last_stall(figures.monitor, cause)) {
    json.add("last", format_instant(clock.at(last->at)));
    json.add("last_ms", last->length);
  }
  json.end_object();
}

std::string_view state_of(const ClosingBrake& brake) {
  if (brake.holds()) return "holding";
  return brake.is_on() ? "ready" : "off";
}

void add_brake_state(JsonWriter& json, const Figures& figures, const WallClock& clock, MonoTime now) {
  const ClosingBrake& brake = figures.monitor.brake();
  json.begin_object("brake");
  json.add("state", state_of(brake));
  add_members(json, "brake", figures);
  if (brake.holds()) json.add("waiting", brake.waiting(now));
  if (figures.monitor.last_brake() != nullptr) {
    json.begin_object("last");
    // While it holds, a reload may have moved its end.
    BrakeReport last = *figures.monitor.last_brake();
    last.span = brake.spans().back();
    add_brake(json, last, clock);
    json.end_object();
  }
  json.end_object();
}

void add_group_state(JsonWriter& json, std::string_view name, const Rule& rule, const Monitor& monitor) {
  const StatusCounts clients = monitor.status_counts(name);
  json.begin_object();
  json.add("name", name);
  json.add("alive", clients.alive);
  json.add("leave", clients.leave);
  add_rule(json, rule);
  json.end_object();
}

// In the order in which they are tried; empty where there are none.
void add_groups(JsonWriter& json, const Monitor& monitor) {
  const Settings& settings = monitor.settings();
  json.begin_array("groups");
  for (const Group& group : settings.groups.all()) add_group_state(json, group.name, group.rule, monitor);
  if (!settings.groups.all().empty()) add_group_state(json, kDefaultGroup, settings.rule, monitor);
  json.end_array();
}

std::string_view state_of(const JournalFigures& journal) {
  if (!journal.is_on) return "off";
  return journal.is_paused ? "paused" : "writing";
}

void add_journal(JsonWriter& json, const Figures& figures) {
  json.begin_object("journal");
  json.add("state", state_of(figures.journal));
  if (figures.journal.is_on) json.add("directory", figures.journal.directory);
  if (!figures.journal.error.empty()) json.add("error", figures.journal.error);
  add_members(json, "journal", figures);
  json.end_object();
}

void add_lateness(JsonWriter& json, const Figures& figures) {
  for (const LatenessFigure& figure : all_lateness_figures()) {
    if (figure.member.empty()) continue;
    const Histogram& lateness = figure.value(figures);
    json.begin_object(figure.member);
    json.add("count", lateness.count());
    json.add("p50", lateness.quantile(0.50));
    json.add("p99", lateness.quantile(0.99));
    json.add("max", lateness.max());
    json.end_object();
  }
}

}  // namespace

void add_status(JsonWriter& json, const Figures& figures, const WallClock& clock, MonoTime now) {
  const Counters& counters = figures.monitor.counters();
  json.add("version", HEARTBEAT_VERSION);
  json.add("boot", figures.boot.id);
  json.add("pid", figures.boot.pid);
  const WallTime wall_now = clock.at(now);
  json.add("now", format_instant(wall_now));
  json.add("started", format_instant(figures.boot.started));
  json.add("uptime_ms", wall_now - figures.boot.started);
  json.begin_array("listening");
  for (const Endpoint& at : figures.listening) json.value(to_string(at));
  json.end_array();

  add_group(json, "clients", figures);
  add_members(json, "", figures);
  add_heartbeats(json, figures);
  add_group(json, "totals", figures);
  add_occurred<Reason>(json, "closes", counters.closes);
  add_occurred<Refusal>(json, "refused", counters.refusals);
  add_occurred<BadInput>(json, "bad_input", counters.bad_input);
  add_accepting(json, figures);
  add_group(json, "control", figures);
  add_stalls(json, "stalls", Stall::Cause::Busy, figures, clock);
  add_stalls(json, "suspensions", Stall::Cause::Suspended, figures, clock);
  add_stalls(json, "restarts", Stall::Cause::Restarted, figures, clock);
  add_brake_state(json, figures, clock, now);
  add_lateness(json, figures);
  add_group(json, "pauses", figures);
  add_group(json, "descriptors", figures);
  if (!figures.certificates.empty()) {
    json.begin_array("certificates");
    for (const auto& [file, expires] : figures.certificates) {
      json.begin_object();
      json.add("file", file);
      json.add("expires", format_instant(expires));
      json.end_object();
    }
    json.end_array();
  }
  if (figures.http) {
    json.begin_object("http");
    json.add("listening", to_string(figures.http->listening));
    add_members(json, "http", figures);
    json.end_object();
  }

  json.begin_object("feed");
  json.add("next", figures.feed.next());
  json.add("oldest", figures.feed.oldest());
  json.end_object();
  add_journal(json, figures);
  add_group(json, "rule", figures);
  add_groups(json, figures.monitor);
  add_group(json, "reloads", figures);
  json.begin_array("conditions");
  for (const Condition& condition : figures.monitor.conditions().all()) {
    json.begin_object();
    add_condition(json, condition, clock);
    json.end_object();
  }
  json.end_array();
  if (figures.roster) {
    json.begin_object("roster");
    json.add("file", figures.roster->file);
    json.add("expected", figures.roster->expected);
    json.add("missing", figures.roster->missing);
    if (!figures.roster->error.empty()) json.add("error", figures.roster->error);
    json.end_object();
  }
  json.begin_array("holds");
  for (const Hold& hold : figures.monitor.holds().all()) {
    json.begin_object();
    add_hold(json, hold, clock);
    json.end_object();
  }
  json.end_array();
  if (figures.monitor.drain() != nullptr) {
    json.begin_object("drain");
    add_drain(json, figures.monitor, clock);
    json.end_object();
  }
}

}  // namespace heartbeat
