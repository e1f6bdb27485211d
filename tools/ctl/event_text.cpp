#include "tools/ctl/event_text.h"

#include <array>
#include <string>

#include "common/text.h"
#include "tools/ctl/text_width.h"
#include "tools/ctl/time_text.h"

namespace heartbeat::ctl {
namespace {

// Columns in which most names of events and clients fit; longer ones push the rest to the right.
constexpr std::size_t kEventWidth = 10;
constexpr std::size_t kClientWidth = 21;

struct Detail {
  const char* key;     // as it is shown
  const char* member;  // lengths of time end in _ms
};

// In the order in which they are read: what changed, why, then the circumstances.
constexpr std::array kEventDetails{
    Detail{"from", "from"},
    Detail{"to", "to"},
    Detail{"state", "state"},
    Detail{"count", "count"},
    Detail{"since", "since"},
    Detail{"reason", "reason"},
    Detail{"by", "by"},
    Detail{"bad_input", "bad_input"},
    Detail{"detail", "detail"},
    Detail{"on_hold", "on_hold"},
    Detail{"stalled", "stalled_ms"},
    Detail{"suspended", "suspended_ms"},
    Detail{"from_version", "from_version"},
    Detail{"to_version", "to_version"},
    Detail{"restarted", "restarted_ms"},
    Detail{"ended", "ended"},
    Detail{"held", "held"},
    Detail{"concerned", "concerned"},
    Detail{"clients", "clients"},
    Detail{"match", "match"},
    Detail{"why", "why"},
    Detail{"uid", "uid"},
    Detail{"until", "until"},
    Detail{"subnet", "subnet"},
    Detail{"listener", "listener"},
    Detail{"heard_first", "heard_first"},
    Detail{"heard_last", "heard_last"},
    Detail{"interval", "interval_ms"},
    Detail{"silence", "silence"},
    Detail{"strikes", "strikes"},
    Detail{"steady", "steady"},
    Detail{"silent", "silent_ms"},
    Detail{"connected", "connected_ms"},
    Detail{"heartbeats", "heartbeats"},
    Detail{"previous", "previous"},
    Detail{"previous_peer", "previous_peer"},
    Detail{"group", "group"},
    Detail{"peer", "peer"},
    Detail{"via", "via"},
    Detail{"certificate", "certificate"},
    Detail{"token_name", "token_name"},
    Detail{"ip", "ip"},
    Detail{"pid", "pid"},
};

constexpr std::array kSnapshotDetails{
    Detail{"status", "status"},
    Detail{"silence", "silence"},
    Detail{"strikes", "strikes"},
    Detail{"steady", "steady"},
    Detail{"silent", "silent_ms"},
    Detail{"connected", "connected_ms"},
    Detail{"heartbeats", "heartbeats"},
    Detail{"peer", "peer"},
    Detail{"via", "via"},
    Detail{"certificate", "certificate"},
    Detail{"token_name", "token_name"},
    Detail{"ip", "ip"},
    Detail{"pid", "pid"},
};

std::string padded(std::string text, std::size_t width) {
  const std::size_t used = width_of(text);
  if (used < width) text.append(width - used, ' ');
  return text;
}

std::string value_of(const Object& object, const char* member) {
  if (!std::string_view{member}.ends_with("_ms")) return object.written(member);
  const auto span = object.millis(member);
  return span ? exact_span(*span) : std::string{};
}

template <class Details>
std::string details_of(const Object& object, const Details& details) {
  std::string text;
  for (const Detail& detail : details) {
    const std::string value = value_of(object, detail.member);
    if (value.empty()) continue;
    if (!text.empty()) text += ' ';
    text += detail.key;
    text += '=';
    text += log_value(value);
  }
  return text;
}

Tone tone_of_event(std::string_view event) {
  if (event == "return" || event == "joined") return Tone::Good;
  if (event == "close" || event == "refused" || event == "absent") return Tone::Bad;
  if (event == "leave" || event == "strike" || event == "fight" || event == "slow_beats" ||
      event == "fast_beats" || event == "accept_paused" || event == "refused_again" ||
      event == "reload_refused" || event == "certificate_expires" || event == "stall" || event == "suspend" ||
      event == "brake" || event == "brake_end" || event == "drain") {
    return Tone::Warning;
  }
  return Tone::Plain;
}

Line line_of(std::string_view at, std::string_view word, Tone tone, std::string_view client,
             std::string details) {
  return {{shown(local_time(at))},
          {"  "},
          {padded(shown(word), kEventWidth), tone},
          {"  "},
          {padded(client.empty() ? "-" : shown(client), kClientWidth), Tone::Strong},
          {"  "},
          {std::move(details)}};
}

}  // namespace

Line event_line(const Object& event) {
  const std::string_view word = event.text("event");
  return line_of(event.text("at"), word, tone_of_event(word), event.text("client"),
                 details_of(event, kEventDetails));
}

Line snapshot_line(const Object& client, std::string_view at) {
  return line_of(at, "snapshot", Tone::Faint, client.text("name"), details_of(client, kSnapshotDetails));
}

Line lost_line(const Object& lost) {
  const auto count = lost.number("count");
  const std::string what = count ? "lost " + std::to_string(*count) + (*count == 1 ? " event" : " events")
                                 : "lost events: the daemon was started anew, and their number is unknown";
  return {{"-- " + what + " --", Tone::Bad}};
}

}  // namespace heartbeat::ctl
