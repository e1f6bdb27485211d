#include "daemon/report/story_json.h"

#include <span>
#include <string_view>

#include "daemon/report/brake_json.h"
#include "daemon/report/client_json.h"

namespace heartbeat {
namespace {

std::string_view word_for(Moment::Kind kind) {
  switch (kind) {
    case Moment::Kind::Connected: return "connected";
    case Moment::Kind::Gap: return "gap";
    case Moment::Kind::Struck: return "strike";
    case Moment::Kind::Left: return "leave";
    case Moment::Kind::Returned: return "return";
    case Moment::Kind::Declared: return "declared";
    case Moment::Kind::TakenOver: return "takeover";
    case Moment::Kind::Closed: return "closed";
    case Moment::Kind::Renewed: return "renewed";
    case Moment::Kind::Limited: return "limited";
  }
  return "";
}

void add_moment(JsonWriter& json, const Moment& moment, const ReportContext& context) {
  json.begin_object();
  json.add("at", context.instant(moment.at));
  json.add("what", word_for(moment.kind));
  switch (moment.kind) {
    case Moment::Kind::Connected:
    case Moment::Kind::TakenOver: json.add("peer", to_string(moment.peer)); break;
    case Moment::Kind::Gap:
      json.add("silent_ms", moment.silent);
      json.add("ticks", moment.ticks);
      break;
    case Moment::Kind::Struck: json.add("strikes", moment.strikes); break;
    case Moment::Kind::Left:
    case Moment::Kind::Closed: json.add("reason", to_string(moment.reason)); break;
    case Moment::Kind::Declared: json.add("status", to_string(moment.status)); break;
    case Moment::Kind::Returned:
    case Moment::Kind::Renewed:
    case Moment::Kind::Limited: break;
  }
  json.end_object();
}

// A client to whom nothing happened has no history: its story is that it connected.
void add_moments(JsonWriter& json, const History* history, const Moment& connected,
                 const ReportContext& context) {
  json.begin_array("moments");
  if (history == nullptr) {
    add_moment(json, connected, context);
  } else {
    for (const Moment& moment : history->oldest_first()) add_moment(json, moment, context);
  }
  json.end_array();
  if (history != nullptr && !history->note().empty()) json.add("note", history->note());
  json.add("forgotten", history == nullptr ? 0U : history->forgotten());
}

std::string_view member_of(Stall::Cause cause) {
  switch (cause) {
    case Stall::Cause::Busy: return "stalled_ms";
    case Stall::Cause::Suspended: return "suspended_ms";
    case Stall::Cause::Restarted: return "restarted_ms";
  }
  return {};
}

// Those since the client first connected, as far as is remembered of either.
void add_stalls(JsonWriter& json, const Stalls& stalls, const History* history, MonoTime connected,
                MonoTime until, const ReportContext& context) {
  const bool has_earlier = history != nullptr && !history->oldest_first().empty();
  const MonoTime since = has_earlier ? std::min(connected, history->oldest_first().front().at) : connected;
  json.begin_array("stalls");
  for (const Stall& stall : stalls) {
    if (stall.at <= since || stall.at > until) continue;
    json.begin_object();
    json.add("at", context.instant(stall.at));
    json.add(member_of(stall.cause), stall.length);
    json.end_object();
  }
  json.end_array();
}

// The times that the brake on mass closing held since then.
void add_brakes(JsonWriter& json, MonoTime connected, MonoTime until, const ReportContext& context) {
  json.begin_array("brakes");
  for (const BrakeSpan& span : context.brake.spans()) {
    if (span.until <= connected || span.from > until) continue;
    json.begin_object();
    add_brake_span(json, span, context.clock);
    json.end_object();
  }
  json.end_array();
}

template <class AnyClient>
void add_story_until(JsonWriter& json, const AnyClient& client, MonoTime until, const Stalls& stalls,
                     const ReportContext& context) {
  json.begin_object("client");
  add_client(json, client, context);
  json.end_object();
  json.add("verdict", verdict_of(client, stalls, context));
  ReportContext exact = context;
  exact.exact_instants = true;
  json.add("verdict_exact", verdict_of(client, stalls, exact));
  const Moment connected{.at = client.connected_at, .peer = client.peer, .kind = Moment::Kind::Connected};
  add_moments(json, client.history.get(), connected, context);
  add_stalls(json, stalls, client.history.get(), client.connected_at, until, context);
  add_brakes(json, client.connected_at, until, context);
}

}  // namespace

void add_story(JsonWriter& json, const Client& client, const Stalls& stalls, const ReportContext& context) {
  json.add("connected_now", true);
  add_story_until(json, client, context.now, stalls, context);
}

void add_story(JsonWriter& json, const ClosedClient& client, const Stalls& stalls,
               const ReportContext& context) {
  json.add("connected_now", false);
  add_story_until(json, client, client.closed_at, stalls, context);
  add_close(json, client, context);
}

}  // namespace heartbeat
