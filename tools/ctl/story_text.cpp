#include "tools/ctl/story_text.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "tools/ctl/client_table.h"
#include "tools/ctl/facts.h"
#include "tools/ctl/text_width.h"
#include "tools/ctl/time_text.h"

namespace heartbeat::ctl {
namespace {

struct Moment {
  std::string at;  // as the daemon writes it: in the order of time as text, too
  Span what;
};

std::string exact(const Object& object, const char* member) {
  const auto span = object.millis(member);
  return span ? exact_span(*span) : "?";
}

std::string in_parentheses(std::string_view text) {
  return text.empty() ? std::string{} : " (" + std::string{text} + ')';
}

// What the daemon calls a moment in a word, in words; of a moment that this program does not know, the word.
Span told(const Object& moment) {
  const std::string what{moment.text("what")};
  if (what == "connected") return {"connected from " + std::string{moment.text("peer")}};
  if (what == "gap") {
    const auto ticks = moment.number("ticks").value_or(0);
    return {"had been silent for " + exact(moment, "silent_ms") + ", " + std::to_string(ticks) +
            (ticks == 1 ? " whole tick" : " whole ticks")};
  }
  if (what == "strike") return {"strike " + moment.written("strikes"), Tone::Warning};
  if (what == "leave") return {"leave" + in_parentheses(moment.text("reason")), Tone::Warning};
  if (what == "return") return {"return: alive again", Tone::Good};
  if (what == "declared") return {"declared itself " + std::string{moment.text("status")}};
  if (what == "closed") return {"an earlier connection was closed" + in_parentheses(moment.text("reason"))};
  if (what == "renewed") return {"an operator gave it a new leave period"};
  if (what == "limited") return {"beat faster than max_rate: read no faster from here on", Tone::Warning};
  if (what == "takeover") return {"taken over by a connection from " + std::string{moment.text("peer")}};
  return {what};
}

Span told_close(const Object& close) {
  std::string text =
      "closed by the " + std::string{close.text("by")} + ": " + std::string{close.text("reason")};
  return {text + in_parentheses(close.text("detail")), Tone::Bad};
}

std::string stall_text(const Object& stall) {
  if (!stall.written("suspended_ms").empty()) {
    return "the machine was suspended for " + exact(stall, "suspended_ms");
  }
  if (!stall.written("restarted_ms").empty()) {
    return "the daemon restarted with its clients in " + exact(stall, "restarted_ms");
  }
  if (!stall.written("crashed_ms").empty()) {
    return "the daemon crashed, and went on with its clients in " + exact(stall, "crashed_ms");
  }
  return "the daemon itself was stalled for " + exact(stall, "stalled_ms");
}

// The client's moments and the daemon's own stalls, in the order of time; of one instant the stall first: it
// explains the rest.
std::vector<Moment> timeline(const Object& story) {
  std::vector<Moment> moments;
  for (const Object& stall : story.objects("stalls")) {
    moments.push_back({std::string{stall.text("at")}, {stall_text(stall), Tone::Faint}});
  }
  for (const Object& brake : story.objects("brakes")) {
    moments.push_back({std::string{brake.text("from")},
                       {"closing for silence pauses: " + brake.written("concerned") + " of " +
                            brake.written("clients") + " clients would be closed",
                        Tone::Warning}});
    if (brake.text("ended").empty()) continue;
    moments.push_back({std::string{brake.text("until")},
                       {"closing goes on (" + std::string{brake.text("ended")} + ")", Tone::Faint}});
  }
  for (const Object& moment : story.objects("moments")) {
    moments.push_back({std::string{moment.text("at")}, told(moment)});
  }
  std::stable_sort(moments.begin(), moments.end(),
                   [](const Moment& a, const Moment& b) { return a.at < b.at; });
  const Object close = story.object("close");
  if (!close.text("at").empty()) moments.push_back({std::string{close.text("at")}, told_close(close)});
  return moments;
}

// Of a closed client only what is still known.
std::string standing_text(const Object& client, const Object& fleet_rule) {
  const Object rule = rule_of(client, fleet_rule);
  std::string text;
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    text += (text.empty() ? "" : ", ") + (name + value);
  };
  add("silence ", counter_text(client, "silence", rule, "threshold"));
  add("strikes ", counter_text(client, "strikes", rule, "cursor"));
  add("steady ", counter_text(client, "steady", rule, "recover"));
  add("margin ", margin_text(client, "margin"));
  add("least margin ", margin_text(client, "margin_least"));
  return text;
}

Facts facts_of(const Object& client, const Object& rule, const Object& path) {
  const std::string_view status = client.text("status");
  const auto connected = client.millis("connected_ms");
  Facts facts;
  facts.add("client", {std::string{client.text("name")}});
  facts.add("status", {std::string{status}, tone_of_status(status)});
  if (!client.text("group").empty()) facts.add("group", {std::string{client.text("group")}});
  const std::string via{client.text("via")};
  facts.add("peer", {std::string{client.text("peer")} + (via.empty() ? "" : ", via " + via)});
  if (!client.text("certificate").empty())
    facts.add("certificate", {std::string{client.text("certificate")}});
  if (!client.text("token_name").empty()) facts.add("token", {std::string{client.text("token_name")}});
  if (!client.text("ip").empty()) {
    const std::string pid = client.written("pid");
    facts.add("claims", {std::string{client.text("ip")} + (pid.empty() ? "" : ", pid " + pid)});
  }
  if (client.text("connected").empty()) return facts;  // a peer that never was a client
  facts.add("connected", {local_time(client.text("connected")) +
                          (connected ? ", for " + span_text(*connected) : std::string{})});
  if (!path.written("unanswered").empty()) {
    const bool is_unanswered = path.written("unanswered") != "0";
    facts.add("path", {is_unanswered ? path.written("unanswered") +
                                           " retransmissions without an answer; the last packet came " +
                                           exact(path, "last_packet_ms") + " ago"
                                     : "round trip " + exact(path, "round_trip_ms"),
                       is_unanswered ? Tone::Warning : Tone::Faint});
  }
  facts.add("heartbeats",
            {client.written("heartbeats") + ", the last at " + local_time(client.text("last_heard"))});
  facts.add("standing", {standing_text(client, rule)});
  const auto declared = client.millis("declared_interval_ms");
  if (declared) facts.add("declares", {"a heartbeat each " + exact_span(*declared)});
  if (!client.text("quiet_until").empty()) {
    facts.add("quiet", {"as announced, until " + local_time(client.text("quiet_until"))});
  }
  const Object hold = client.object("hold");
  if (!hold.text("until").empty()) {
    facts.add("hold", {"not closed for silence until " + local_time(hold.text("until")) + ", by uid " +
                           hold.written("uid") + ": " + std::string{hold.text("why")},
                       Tone::Warning});
  }
  if (!client.text("closes").empty()) {
    if (client.flag("held").value_or(false))
      facts.add("held", {"by the brake on mass closing", Tone::Warning});
    facts.add("kicked", {"at " + local_time(client.text("closes")) + " unless it returns", Tone::Warning});
  }
  return facts;
}

// The verdict with its instants in local time.  A daemon before this one words it in UTC alone.
std::string verdict_text(const Object& story) {
  const std::string_view exact = story.text("verdict_exact");
  return shown(exact.empty() ? story.text("verdict") : in_local_time(exact));
}

}  // namespace

std::vector<Line> story_lines(const Object& story, const Object& rule, std::optional<std::size_t> width) {
  std::vector<Line> all;
  const auto append = [&](const std::vector<Line>& lines) {
    all.insert(all.end(), lines.begin(), lines.end());
  };
  for (const std::string& piece : wrapped(verdict_text(story), width)) all.push_back({{piece, Tone::Strong}});
  all.emplace_back();
  Facts facts = facts_of(story.object("client"), rule, story.object("path"));
  const Object refused = story.object("refused");
  if (!refused.text("since").empty()) {
    facts.add("refused", {refused.written("count") + " from " + std::string{refused.text("address")} +
                              " since " + local_time(refused.text("since")) + ", the last at " +
                              local_time(refused.text("last")) + in_parentheses(refused.text("detail")),
                          Tone::Warning});
  }
  append(facts.lines(width));
  all.emplace_back();

  const std::vector<Moment> moments = timeline(story);
  Facts lines;
  lines.add("WHEN" + in_parentheses(moments.empty() ? "" : zone_at(moments.front().at)),
            {"WHAT", Tone::Strong});
  const auto forgotten = story.number("forgotten").value_or(0);
  if (forgotten != 0) {
    lines.add("…",
              {std::to_string(forgotten) + " moments were forgotten, to keep within bounds", Tone::Faint});
  }
  for (const Moment& moment : moments) lines.add(local_time(moment.at), moment.what);
  append(lines.lines(width));
  return all;
}

}  // namespace heartbeat::ctl
