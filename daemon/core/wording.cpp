#include "daemon/core/wording.h"

#include <algorithm>
#include <array>
#include <memory>

#include "common/duration.h"

namespace heartbeat {

Event event_of(Event::Kind kind, ConnId conn, const Client& client, MonoTime at) {
  Event event{.kind = kind, .at = at, .conn = conn, .client = NameText{name_of(client)}, .peer = client.peer};
  event.claimed_ip = client.claimed_ip;
  event.pid = client.pid;
  event.from = event.to = client.liveness.status();
  event.silence = client.liveness.silence();
  event.strikes = client.liveness.strikes();
  event.steady = client.liveness.steady();
  event.silent = at - client.last_heard;
  event.connected = at - client.connected_at;
  event.heartbeats = client.heartbeats;
  event.sent_bytes = client.sent_bytes;
  event.group = client.group;
  if (client.passage != nullptr) {
    event.extra.edit().via = client.passage->via;
    event.extra.edit().certificate_name = client.passage->certificate_name;
    event.extra.edit().token_name = client.passage->token.name;
  }
  return event;
}

Event event_of(const Change& change, ConnId conn, const Client& client) {
  static constexpr std::array kKinds{Event::Kind::Struck, Event::Kind::Left, Event::Kind::Returned,
                                     Event::Kind::Closed};
  Event event = event_of(kKinds.at(static_cast<std::size_t>(change.kind)), conn, client, change.at);
  const bool was_alive = change.kind == Change::Kind::Struck || change.kind == Change::Kind::Left;
  event.from = was_alive ? Status::Alive : Status::Leave;
  event.silence = change.silence;
  event.strikes = change.strikes;
  event.steady = change.steady;
  return event;
}

Event closing_of(ConnId conn, const Client& client, Reason reason, MonoTime at) {
  Event event = event_of(Event::Kind::Closed, conn, client, at);
  event.to = Status::Close;
  event.reason = reason;
  event.by = *facts_of(reason).by;
  return event;
}

std::string describe(const TimeLimit& limit, const Bounds& bounds, const Rule& rule) {
  if (limit.reason == Reason::NeverSpoke) {
    return "no heartbeat came within " + describe_duration(hello_timeout(bounds, rule)) + " (hello_timeout)";
  }
  return "after " + describe_duration(bounds.frame_timeout) +
         " (frame_timeout)";  // what there is of the frame follows
}

// Rounded to a tenth of a second and to a tenth of a tick: a client that waits 10 s between its heartbeats
// beats a little less often than that.
std::string describe_spacing(Millis spacing, Millis tick) {
  static constexpr std::array<std::string_view, 13> kWords{"no",   "one",    "two",   "three", "four",
                                                           "five", "six",    "seven", "eight", "nine",
                                                           "ten",  "eleven", "twelve"};
  const auto in_tenths = [](std::int64_t tenths) {
    return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
  };
  const std::string length =
      spacing < Millis{1000} ? describe_duration(spacing) : in_tenths((spacing.count() + 50) / 100) + " s";
  const std::int64_t ticks = (spacing.count() * 10 + tick.count() / 2) / tick.count();
  const bool is_word = ticks % 10 == 0 && ticks / 10 < std::ssize(kWords);
  const std::string count = is_word           ? std::string{kWords.at(static_cast<std::size_t>(ticks / 10))}
                            : ticks % 10 == 0 ? std::to_string(ticks / 10)
                                              : in_tenths(ticks);
  return "every " + length + ", which is " + count + (ticks == 10 ? " tick" : " ticks");
}

void note(Client& client, const Moment& moment) {
  if (client.history == nullptr) {
    client.history = std::make_unique<History>();
    client.history->add({.at = client.connected_at, .peer = client.peer, .kind = Moment::Kind::Connected});
  }
  client.history->add(moment);
}

// Let d = tick_start - last_heard.  A last heartbeat in the tick that began n + 1 ticks before the present
// one has d in (n * tick, (n + 1) * tick], and n ticks lie between the two: n = (d - 1 ms) / tick.  An accept
// is no heartbeat and begins its tick, so d = n * tick, and the n ticks before the first heartbeat include
// its own.
void note_gap(Client& client, const Rule& rule, bool first, MonoTime now) {
  const Millis before_tick = client.liveness.tick_start() - client.last_heard;
  if (before_tick < rule.tick) return;
  const std::int64_t silent_ticks = (before_tick.count() - (first ? 0 : 1)) / rule.tick.count();
  if (silent_ticks == 0) return;
  note(client, {.at = now,
                .silent = now - client.last_heard,
                .ticks = static_cast<std::uint32_t>(silent_ticks),
                .kind = Moment::Kind::Gap});
  client.nearest_to_leave = std::max(client.nearest_to_leave, ticks_towards_leave(client.liveness, rule));
}

}  // namespace heartbeat
