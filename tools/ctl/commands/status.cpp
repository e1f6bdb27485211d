// heartbeatctl status
#include <algorithm>
#include <array>
#include <string_view>

#include "common/duration.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/facts.h"
#include "tools/ctl/status_text.h"
#include "tools/ctl/time_text.h"

namespace heartbeat::ctl::commands {
namespace {

// `joins 12, leaves 3`, or `none`.
std::string listed(const Object& counts) {
  std::string text;
  for (const auto& [name, count] : counts.numbers()) {
    if (!text.empty()) text += ", ";
    text += std::string{name} + ' ' + std::to_string(count);
  }
  return text.empty() ? "none" : text;
}

std::string lateness(const Object& lateness) {
  return "p50 " + lateness.written("p50") + "ms, p99 " + lateness.written("p99") + "ms, max " +
         lateness.written("max") + "ms, of " + lateness.written("count");
}

// `, clients 3 times`, of the doors where a connection could not be accepted.
std::string shortages_text(const Object& shortages) {
  std::string text;
  for (const char* const door : {"clients", "control", "http"}) {
    const auto count = shortages.number(door).value_or(0);
    if (count == 0) continue;
    text += std::string{", "} + door + " " + std::to_string(count) + (count == 1 ? " time" : " times");
  }
  return text;
}

// `at most 10000 a second; paused 3 times, for 150ms in all; no descriptor or memory for a connection: http
// 3 times`.
std::string accepting_text(const Object& accepting) {
  const auto rate = accepting.number("rate").value_or(0);
  const auto pauses = accepting.number("pauses").value_or(0);
  std::string text = rate == 0 ? "without a limit" : "at most " + std::to_string(rate) + " a second";
  if (accepting.flag("paused").value_or(false)) text += "; paused now";
  if (pauses > 0) {
    const auto paused = accepting.millis("paused_ms").value_or(Millis{0});
    text += "; paused " + std::to_string(pauses) + (pauses == 1 ? " time" : " times") + ", for " +
            format_duration(paused) + " in all";
  }
  const std::string shortages = shortages_text(accepting.object("shortages"));
  if (shortages.empty()) return text;
  return text + "; no descriptor or memory for a connection: " + shortages.substr(2);
}

std::string rule_text(const Object& rule) {
  const auto span = [&](const char* member) {
    const auto value = rule.millis(member);
    return value ? format_duration(*value) : std::string{};
  };
  return "tick " + span("tick_ms") + ", threshold " + rule.written("threshold") + ", cursor " +
         rule.written("cursor") + ", recover " + rule.written("recover") + ", leave_timeout " +
         span("leave_timeout_ms");
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all.empty() ? "nowhere" : all;
}

// The members of the daemon's answer that facts_of() puts into words of its own.
constexpr std::array<std::string_view, 32> kWorded{"type",
                                                   "version",
                                                   "boot",
                                                   "pid",
                                                   "now",
                                                   "started",
                                                   "uptime_ms",
                                                   "listening",
                                                   "rule",
                                                   "clients",
                                                   "feed",
                                                   "brake",
                                                   "conditions",
                                                   "holds",
                                                   "groups",
                                                   "roster",
                                                   "remembered",
                                                   "heartbeats",
                                                   "totals",
                                                   "closes",
                                                   "refused",
                                                   "accepting",
                                                   "bad_input",
                                                   "stalls",
                                                   "suspensions",
                                                   "restarts",
                                                   "loop_lateness_ms",
                                                   "verdict_lateness_ms",
                                                   "memory_bytes",
                                                   "descriptors",
                                                   "certificates",
                                                   "drain"};

// Every other member as it stands: a figure that the daemon gains is shown without a word here.
void add_others(Facts& facts, const Object& status) {
  for (const std::string& name : status.names()) {
    if (std::find(kWorded.begin(), kWorded.end(), name) != kWorded.end()) continue;
    std::string label = name;
    std::replace(label.begin(), label.end(), '_', ' ');
    const std::string members = listed(status.object(name.c_str()));
    facts.add(label, {members == "none" ? status.written(name.c_str()) : members});
  }
}

// `fight of pump-7, 12 since 2026-11-22 10:55:14.570: …`
std::string condition_text(const Object& condition) {
  std::string kind{condition.text("kind")};
  std::replace(kind.begin(), kind.end(), '_', ' ');
  const std::string_view subject = condition.text("subject");
  const std::string_view detail = condition.text("detail");
  return kind + (subject.empty() ? "" : " of " + std::string{subject}) + ", " + condition.written("count") +
         " since " + local_time(condition.text("since")) + (detail.empty() ? "" : ": " + std::string{detail});
}

// `pump-* until 2026-11-22 12:55:14.570, by uid 1000: new firmware`
std::string hold_text(const Object& hold) {
  return std::string{hold.text("match")} + " until " + local_time(hold.text("until")) + ", by uid " +
         hold.written("uid") + ": " + std::string{hold.text("why")};
}

// `12 drained, 388 left; at 100 a second since 2026-11-22 10:55:14.570, by uid 1000`
std::string drain_text(const Object& drain) {
  return drain.written("drained") + " drained, " + drain.written("left") + " left" +
         (drain.flag("complete").value_or(false) ? " (new connections)" : "") + "; at " +
         drain.written("rate") + " a second since " + local_time(drain.text("since")) + ", by uid " +
         drain.written("uid");
}

Facts facts_of(const Object& status) {
  const Object clients = status.object("clients");
  const Object heartbeats = status.object("heartbeats");
  const Object descriptors = status.object("descriptors");
  const Object feed = status.object("feed");
  const auto stalls = status.object("stalls").number("count").value_or(0);

  Facts facts;
  facts.add("heartbeatd", {std::string{status.text("version")} + ", pid " + status.written("pid")});
  facts.add("up", {uptime_text(status) + ", since " + local_time(status.text("started"))});
  facts.add("boot", {std::string{status.text("boot")}});
  facts.add("listening", {joined(status.texts("listening"))});
  const std::string_view http = status.object("http").text("listening");
  facts.add("status page",
            {http.empty() ? "none: http.listen is empty" : "http://" + std::string{http} + "/"});
  facts.add("rule", {rule_text(status.object("rule"))});
  facts.add("clients", {clients.written("alive") + " alive, " + clients.written("leave") + " in leave, " +
                        clients.written("max") + " at most"});
  for (const Object& group : status.objects("groups")) {
    facts.add("group " + std::string{group.text("name")},
              {group.written("alive") + " alive, " + group.written("leave") + " in leave; " +
               rule_text(group.object("rule"))});
  }
  const Object roster = status.object("roster");
  if (!roster.text("file").empty()) {
    facts.add("roster",
              {roster.written("missing") + " missing of " + roster.written("expected") + " expected"});
    if (!roster.text("error").empty()) facts.add("", {std::string{roster.text("error")}, Tone::Bad});
  }
  if (clients.number("missing").value_or(0) > 0) {
    facts.add("missing", {clients.written("missing") + " of before the daemon's start", Tone::Warning});
  }
  facts.add("remembered", {status.written("remembered") + " closed clients"});
  facts.add("heartbeats", {heartbeats.written("total") + ", per second " + rates_text(status)});
  facts.add("totals", {listed(status.object("totals"))});
  facts.add("closes", {listed(status.object("closes"))});
  facts.add("refused", {listed(status.object("refused"))});
  facts.add("accepting", {accepting_text(status.object("accepting"))});
  facts.add("bad input", {listed(status.object("bad_input"))});
  facts.add("stalls", {stalls_text(status), stalls == 0 ? Tone::Plain : Tone::Warning});
  facts.add("suspensions", {suspensions_text(status)});
  facts.add("restarts", {restarts_text(status)});
  facts.add("brake", {brake_text(status), braked_text(status).empty() ? Tone::Plain : Tone::Bad});
  for (const Object& certificate : status.objects("certificates")) {
    facts.add("certificate", {std::string{certificate.text("file")} + " expires " +
                              local_time(certificate.text("expires"))});
  }
  for (const Object& condition : status.objects("conditions")) {
    facts.add("condition", {condition_text(condition), Tone::Warning});
  }
  for (const Object& hold : status.objects("holds")) facts.add("hold", {hold_text(hold), Tone::Warning});
  if (const Object drain = status.object("drain"); !drain.text("since").empty()) {
    facts.add("drain", {drain_text(drain), Tone::Warning});
  }
  facts.add("loop lateness", {lateness(status.object("loop_lateness_ms"))});
  facts.add("verdict lateness", {lateness(status.object("verdict_lateness_ms"))});
  facts.add("memory", {memory_text(status)});
  facts.add("descriptors", {descriptors.written("used") + " of " + descriptors.written("limit")});
  facts.add("feed", {"next event " + feed.written("next") + ", held from " + feed.written("oldest")});
  add_others(facts, status);
  return facts;
}

class StatusCommand final : public Command {
 public:
  Outcome run(Session& session, const Output& output) override {
    const auto status = session.ask_for_one(Request{"status"});
    if (!status) return tl::unexpected(status.error());
    if (!output.json()) output.print(facts_of(status->object()).lines(output.width()));
    return {};
  }
};

}  // namespace

Made make_status() {
  return std::make_unique<StatusCommand>();
}

}  // namespace heartbeat::ctl::commands
