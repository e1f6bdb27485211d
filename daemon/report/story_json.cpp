#include "daemon/report/story_json.h"

#include <span>
#include <string_view>

#include "common/text.h"
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

// A client without an event has no history: its story is that it connected.
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
    case Stall::Cause::Crashed: return "crashed_ms";
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
  for (const BrakeSpan& span : context.monitor.brake().spans()) {
    if (span.until <= connected || span.from > until) continue;
    json.begin_object();
    add_brake_span(json, span, context.clock);
    json.end_object();
  }
  json.end_array();
}

// `verdict` words one for a context.
template <class AnyClient>
void add_story_until(JsonWriter& json, const AnyClient& client, MonoTime until, const Stalls& stalls,
                     const ReportContext& context, const auto& verdict) {
  json.begin_object("client");
  add_client(json, client, context);
  json.end_object();
  json.add("verdict", verdict(context));
  ReportContext exact = context;
  exact.exact_instants = true;
  json.add("verdict_exact", verdict(exact));
  const Moment connected{.at = client.connected_at, .peer = client.peer, .kind = Moment::Kind::Connected};
  add_moments(json, client.history.get(), connected, context);
  add_stalls(json, stalls, client.history.get(), client.connected_at, until, context);
  add_brakes(json, client.connected_at, until, context);
}

// An address, with or without a port.
std::optional<Endpoint> parse_address(std::string_view text) {
  if (const auto endpoint = parse_endpoint(text)) return endpoint;
  const bool is_v6 = text.find(':') != std::string_view::npos;
  return parse_endpoint(is_v6 ? '[' + std::string{text} + "]:0" : std::string{text} + ":0");
}

// What the kernel knows of the path to a connected client.
void add_path(JsonWriter& json, const TcpPath& path) {
  json.begin_object("path");
  json.add("unanswered", path.unanswered);
  json.add("unacknowledged", path.unacknowledged);
  json.add("retry_ms", path.retry);
  json.add("round_trip_ms", path.round_trip);
  json.add("last_packet_ms", path.last_packet);
  json.end_object();
}

// The connections from its address that never became a client.
void add_refused(JsonWriter& json, const RefusedPeer& peer, const ReportContext& context) {
  json.begin_object("refused");
  json.add("address", address_string(peer.latest.peer));
  json.add("count", peer.count);
  json.add("since", context.instant(peer.since));
  json.add("last", context.instant(peer.latest.at));
  json.add("last_peer", to_string(peer.latest.peer));
  json.add("reason", to_string(peer.latest.reason));
  if (peer.latest.bad_input) json.add("bad_input", to_string(*peer.latest.bad_input));
  if (!peer.latest.detail.empty()) json.add("detail", peer.latest.detail);
  json.end_object();
}

}  // namespace

void add_story(JsonWriter& json, const Client& client, const Stalls& stalls, const ReportContext& context) {
  json.add("connected_now", true);
  add_story_until(json, client, context.now, stalls, context,
                  [&](const ReportContext& in) { return verdict_of(client, stalls, in); });
}

// Of a peer that never was a client only this is known; the members are those of any story.
void add_story(JsonWriter& json, const RefusedPeer& peer, const ReportContext& context) {
  const Refused& latest = peer.latest;
  json.add("connected_now", false);
  json.begin_object("client");
  json.add("name", address_string(latest.peer));
  json.add("peer", to_string(latest.peer));
  json.add("status", to_string(Status::Close));
  json.end_object();
  json.add("verdict", verdict_of(peer, context));
  ReportContext exact = context;
  exact.exact_instants = true;
  json.add("verdict_exact", verdict_of(peer, exact));
  add_refused(json, peer, context);
  for (const std::string_view empty : {"moments", "stalls", "brakes"}) {
    json.begin_array(empty);
    json.end_array();
  }
  json.add("forgotten", 0U);
  json.begin_object("close");
  json.add("at", context.instant(latest.at));
  json.add("reason", to_string(latest.reason));
  json.add("by", to_string(facts_of(latest.reason).by.value_or(Party::Daemon)));
  if (!latest.detail.empty()) json.add("detail", latest.detail);
  json.end_object();
}

void add_story(JsonWriter& json, const ClosedClient& client, const Stalls& stalls,
               const ReportContext& context) {
  json.add("connected_now", false);
  add_story_until(json, client, client.closed_at, stalls, context,
                  [&](const ReportContext& in) { return verdict_of(client, stalls, in); });
  add_close(json, client, context);
}

void add_missing_story(JsonWriter& json, const ClosedClient& client, const Stalls& stalls,
                       const ReportContext& context) {
  json.add("connected_now", false);
  json.add("missing", true);
  add_story_until(json, client, client.last_heard, stalls, context,
                  [&](const ReportContext& in) { return verdict_of_missing(client, in); });
  add_close(json, client, context);
}

std::optional<Named> find_named(const Monitor& monitor, std::string_view name) {
  if (const auto slot = monitor.clients().slot_named(name)) {
    return Named{.client = monitor.clients().conn_of(*slot)};
  }
  if (const ClosedClient* const missing = monitor.missing().find(name)) return Named{.missing = missing};
  if (const ClosedClient* const closed = monitor.closed_clients().find(name)) return Named{.closed = closed};
  const auto address = parse_address(name);
  const RefusedPeer* const refused = address ? monitor.refused_peers().find(*address) : nullptr;
  if (refused == nullptr) return {};
  return Named{.refused = refused};
}

void add_story(JsonWriter& json, const Named& named, const OperatorDesk& desk) {
  const ReportContext context = desk.report();
  const Stalls& stalls = desk.monitor().stalls();
  if (named.missing != nullptr) {
    return add_missing_story(json, *named.missing, stalls, context);
  }
  if (named.closed != nullptr) return add_story(json, *named.closed, stalls, context);
  if (named.refused != nullptr) return add_story(json, *named.refused, context);
  const Client& client = *desk.monitor().clients().find(*named.client);
  add_story(json, client, stalls, context);
  if (const auto path = desk.path_of(*named.client)) add_path(json, *path);
  // What a peer did wrong before explains what it may be doing now.
  const RefusedPeer* const before = desk.monitor().refused_peers().find(client.peer);
  if (!has_spoken(client) && before != nullptr) add_refused(json, *before, context);
}

std::string explain_unknown(std::string_view name) {
  std::string text = "no client " + log_value(name) +
                     " is connected, or among the last that were closed, and no connection from there was "
                     "refused";
  const auto address = parse_address(name);
  if (!address || address->port != 0) return text;
  const bool is_v6 = address->family == Endpoint::Family::V6;
  const std::string host = address_string(*address);
  return text + "; clients --match '" + (is_v6 ? "[[]" + host + "[]]" : host) +
         ":*' lists the clients at this address";
}

}  // namespace heartbeat
