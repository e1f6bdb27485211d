#include "daemon/report/event_json.h"

#include "daemon/report/brake_json.h"
#include "daemon/report/hold_json.h"
#include "daemon/report/query.h"

namespace heartbeat {
namespace {

// Which groups of members are meaningful for a kind, beyond what says so itself by being empty.
struct Meaning {
  bool transition;  // from, to, reason
  bool reason;
  bool standing;
};

Meaning meaning_of(const Event& event) {
  // That a condition lasts, or has ended, is no event of one client.
  const auto& condition = event.extra->condition;
  if (condition && condition->phase != Phase::Began) return {};
  switch (event.kind) {
    case Event::Kind::Connected:
    case Event::Kind::AcceptPaused:
    case Event::Kind::Restarted:
    case Event::Kind::ReloadRefused:
    case Event::Kind::CertificateExpires:
    case Event::Kind::Drain:
    case Event::Kind::DrainComplete:
    case Event::Kind::Stalled:
    case Event::Kind::Suspended:
    case Event::Kind::Braked:
    case Event::Kind::BrakeEnded:
    case Event::Kind::Held:
    case Event::Kind::HoldEnded: return {.transition = false, .reason = false, .standing = false};
    case Event::Kind::Absent:
    case Event::Kind::Refused:
    case Event::Kind::RefusedAgain: return {.transition = false, .reason = true, .standing = false};
    case Event::Kind::Joined:
    case Event::Kind::Named:
    case Event::Kind::TakenOver:
    case Event::Kind::Fight:
    case Event::Kind::Heard:
    case Event::Kind::Slow:
    case Event::Kind::Fast:
    case Event::Kind::Struck: return {.transition = false, .reason = false, .standing = true};
    case Event::Kind::Left:
    case Event::Kind::Returned:
    case Event::Kind::Closed: return {.transition = true, .reason = true, .standing = true};
  }
  return {};
}

}  // namespace

void add_event(JsonWriter& json, const Event& event, const WallClock& clock) {
  const Meaning meaning = meaning_of(event);
  json.add("at", format_instant(clock.at(event.at)));
  json.add("event", to_string(event.kind));
  if (const auto& condition = event.extra->condition) {
    json.add("state", to_string(condition->phase));
    json.add("since", format_instant(clock.at(condition->since)));
    json.add("count", condition->count);
  }
  if (is_of_daemon(event.kind)) {
    if (event.kind == Event::Kind::Stalled) json.add("stalled_ms", event.extra->stalled);
    if (event.kind == Event::Kind::Suspended) json.add("suspended_ms", event.extra->stalled);
    if (event.kind == Event::Kind::Restarted) {
      json.add("from_version", event.extra->previous);
      json.add("to_version", event.extra->detail);
      json.add("restarted_ms", event.extra->stalled);
      if (event.reason == Reason::Crash) json.add("reason", to_string(event.reason));
    } else if (!event.extra->detail.empty()) {
      json.add("detail", event.extra->detail);
    }
    if (event.extra->brake != nullptr) add_brake(json, *event.extra->brake, clock);
    if (event.extra->hold != nullptr) {
      if (event.kind == Event::Kind::HoldEnded) json.add("by", to_string(event.by));
      add_hold(json, *event.extra->hold, clock);
    }
    return;
  }
  if (!event.client.empty()) json.add("client", event.client);
  if (event.peer != Endpoint{}) json.add("peer", to_string(event.peer));
  if (!event.extra->group.empty()) json.add("group", event.extra->group);
  if (event.extra->via) json.add("via", to_string(*event.extra->via));
  if (!event.extra->certificate_name.empty()) json.add("certificate", event.extra->certificate_name);
  if (!event.extra->token_name.empty()) json.add("token_name", event.extra->token_name);
  if (!event.claimed_ip.empty()) json.add("ip", event.claimed_ip);
  if (event.pid) json.add("pid", *event.pid);
  if (meaning.transition) {
    json.add("from", to_string(event.from));
    json.add("to", to_string(event.to));
  }
  if (meaning.reason) json.add("reason", to_string(event.reason));
  if (event.kind == Event::Kind::Closed) json.add("by", to_string(event.by));
  if (meaning.standing) {
    json.add("silence", event.silence);
    json.add("strikes", event.strikes);
    json.add("steady", event.steady);
    json.add("silent_ms", event.silent);
    json.add("connected_ms", event.connected);
    json.add("heartbeats", event.heartbeats);
  }
  if (!event.extra->previous.empty()) json.add("previous", event.extra->previous);
  if (event.extra->previous_peer) json.add("previous_peer", to_string(*event.extra->previous_peer));
  if (event.extra->spacing > Millis{0}) json.add("interval_ms", event.extra->spacing);
  if (event.extra->bad_input) json.add("bad_input", to_string(*event.extra->bad_input));
  if (!event.extra->detail.empty()) json.add("detail", event.extra->detail);
  if (!event.extra->on_hold.empty()) json.add("on_hold", event.extra->on_hold);
}

void add_feed_event(JsonWriter& json, const Event& event, std::string_view boot, const WallClock& clock) {
  json.add("type", "event");
  json.add("cursor", to_string(FeedCursor{std::string{boot}, event.number}));
  json.add("boot", boot);
  json.add("seq", event.number);
  add_event(json, event, clock);
}

}  // namespace heartbeat
