#include "daemon/core/monitor.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <string>
#include <utility>

#include "common/json_diagnosis.h"
#include "common/proxy_header.h"
#include "common/stream_diagnosis.h"
#include "common/text.h"
#include "daemon/core/wording.h"

namespace heartbeat {
namespace {

constexpr Millis kJustBefore{1};  // the instant before another is this much earlier

}  // namespace

// The first comparison is all that most heartbeats pay.  Where fewer clients are connected than the brake
// needs, it has nothing to decide.  Otherwise it must decide at the end of the first leave that it counts.  A
// leave that has not been judged yet began no earlier than the first deadline, so it ends no earlier than a
// leave timeout after that.
MonoTime Monitor::instant_for(MonoTime now) const {
  if (next_deadline() > now) return now;
  MonoTime at = now;
  if (state_.sweep) {
    at = state_.sweep->at;
  } else if (state_.brake.holds() ||
             (state_.brake.is_on() && state_.clients.size() >= state_.settings.brake.clients_min)) {
    at = std::min(at, state_.brake.next() - kJustBefore);
    if (deadlines_.next() <= now) {
      at = std::min(at, deadlines_.next() + state_.settings.shortest_leave() - kJustBefore);
    }
  }
  return std::max(state_.now, at);
}

std::optional<ConnId> Monitor::open(const Endpoint& peer, MonoTime now, Effects& effects,
                                    const Arrival& arrival) {
  now = reach(now);
  const auto lacking = lacking_for(peer);
  if (lacking && !may_be_newcomer(peer)) {
    turn_away(peer, *lacking, describe_lacking(*lacking, peer), now, effects);
    return {};
  }
  const MonoTime accepted = std::min(arrival.accepted.value_or(now), now);
  const ConnId conn = state_.clients.add(peer, accepted);
  const Entry entry = entry_at(conn.slot);
  entry.client.epoch = state_.epoch;
  entry.client.group =
      state_.settings.groups.match({.credential = credential_name(arrival.passage),
                                    .listener = arrival.listener ? &*arrival.listener : nullptr});
  entry.client.liveness = Liveness{now - (now - accepted) % rule_of(entry.client).tick};
  entry.client.is_newcomer = lacking.has_value();
  bool counted = false;
  try {
    AddressCounts& counts = lacking ? newcomers_by_address_ : addresses_;
    if (lacking || counts_address_of(entry.client)) {
      counts.add(peer);
      counted = true;
    }
    entry.client.listener = number_of(arrival.listener);
    if (!arrival.passage.is_empty()) entry.client.passage = std::make_unique<Passage>(arrival.passage);
    fit_to_holds(entry.client, now);
    arm(entry, now);
    tell(event_of(Event::Kind::Connected, conn, entry.client, now), effects);
  } catch (...) {  // out of memory: undo everything
    if (counted) (lacking ? newcomers_by_address_ : addresses_).remove(peer);
    deadlines_.disarm(conn.slot);
    state_.clients.remove(conn.slot);
    throw;
  }
  if (lacking) ++newcomers_;
  ++count_of_group(entry.client).clients;
  ++state_.counters.connected;
  ++state_.roster_version;
  return conn;
}

void Monitor::refuse_for_memory(const Endpoint& peer, MonoTime now, Effects& effects) {
  turn_away(peer, Refusal::OutOfMemory, "the daemon is out of memory", now, effects);
}

void Monitor::turn_away(const Endpoint& peer, Refusal refusal, std::string_view detail, MonoTime now,
                        Effects& effects) {
  ++state_.counters.refused;
  ++state_.counters.refusals.at(static_cast<std::size_t>(refusal));
  Event refused{.kind = Event::Kind::Refused, .at = now, .client = NameText{to_string(peer)}, .peer = peer};
  refused.reason = Reason::Limit;
  refused.extra.edit().detail = detail;
  refused.counted = remember_refused(refused, effects);
  tell(std::move(refused), effects);
}

void Monitor::receive(ConnId conn, std::string_view bytes, MonoTime now, Effects& effects) {
  now = reach(now);
  Client* const client = state_.clients.find(conn);
  if (client == nullptr) return;
  const Entry entry{conn, *client};
  if (state_.sweep) bring_up_to_date(entry);
  client->sent_bytes = true;
  // The end of a frame whose time is over comes too late.
  bool in_old_frame = client->decoder.in_frame();
  if (in_old_frame && !judge(entry, now, effects)) return;

  for (bool heard = false;; heard = true) {
    const FrameDecoder::Result frame = client->decoder.next(bytes, state_.settings.frame_max);
    if (frame.state == FrameDecoder::State::NeedMore) {
      if (!in_old_frame && client->decoder.in_frame()) begin_frame(entry, now);
      if (heard && client->meter.is_over(bounds_of(*client).max_rate)) stop_reading(entry, now, effects);
      return;
    }
    in_old_frame = false;
    if (frame.state == FrameDecoder::State::Bad) {
      const bool is_proxy = !has_spoken(*client) && begins_as_proxy_header(frame.body);
      reject(entry, is_proxy ? BadInput::ProxyUntrusted : frame.error,
             diagnose_length(frame.body, state_.settings.frame_max), now, effects);
      return;
    }
    const auto heartbeat = parser_.parse(frame.body);
    if (!heartbeat) {
      reject(entry, heartbeat.error(), diagnose_body(heartbeat.error(), frame.body), now, effects);
      return;
    }
    if (!hear(entry, *heartbeat, now, effects)) return;
  }
}

void Monitor::reject_preamble(ConnId conn, BadInput kind, const std::string& what, MonoTime now,
                              Effects& effects) {
  now = reach(now);
  Client* const client = state_.clients.find(conn);
  if (client == nullptr) return;
  client->sent_bytes = true;
  reject({conn, *client}, kind, what, now, effects);
}

void Monitor::disconnect(ConnId conn, Reason reason, MonoTime now, Effects& effects,
                         std::string_view detail) {
  now = reach(now);
  Client* const client = state_.clients.find(conn);
  if (client == nullptr) return;
  const Entry entry{conn, *client};
  if (state_.sweep) bring_up_to_date(entry);
  if (!judge(entry, now, effects)) return;
  Event event = closing_of(conn, *client, reason, now);
  if (!detail.empty()) {
    event.extra.edit().detail = detail;
  } else if (client->decoder.in_frame()) {
    event.extra.edit().detail = diagnose_unfinished(client->decoder.unfinished());
  }
  close(entry, std::move(event), effects);
}

void Monitor::abandon(ConnId conn) noexcept {
  if (Client* const client = state_.clients.find(conn)) remove({conn, *client}, Reason::Limit);
}

bool Monitor::kick(std::string_view name, std::string_view message, MonoTime now, Effects& effects) {
  now = reach(now);
  const auto slot = state_.clients.slot_called(name);
  if (!slot) return false;
  const Entry entry = entry_at(*slot);
  if (state_.sweep) bring_up_to_date(entry);
  if (!judge(entry, now, effects)) return false;
  Event event = closing_of(entry.conn, entry.client, Reason::Kicked, now);
  if (!message.empty()) event.extra.edit().detail = message;
  close(entry, std::move(event), effects);
  return true;
}

bool Monitor::supersede(ConnId conn, std::string_view detail, MonoTime now, Effects& effects) {
  now = reach(now);
  Client* const client = state_.clients.find(conn);
  if (client == nullptr) return false;
  const Entry entry{conn, *client};
  if (state_.sweep) bring_up_to_date(entry);
  if (!judge(entry, now, effects)) return false;
  Event event = closing_of(conn, *client, Reason::Superseded, now);
  event.extra.edit().detail = detail;
  close(entry, std::move(event), effects);
  return true;
}

void Monitor::stalled(Millis length, MonoTime now, Effects& effects) {
  ++state_.counters.stalls;
  state_.counters.stalled += length;
  state_.counters.worst_stall = std::max(state_.counters.worst_stall, length);
  remember_stall({.at = now, .length = length});
  Event event{.kind = Event::Kind::Stalled, .at = now};
  event.extra.edit().stalled = length;
  tell(std::move(event), effects);
}

void Monitor::suspended(Millis length, MonoTime now, Effects& effects) {
  ++state_.counters.suspensions;
  state_.counters.suspended += length;
  remember_stall({.at = now, .length = length, .cause = Stall::Cause::Suspended});
  Event event{.kind = Event::Kind::Suspended, .at = now};
  event.extra.edit().stalled = length;
  tell(std::move(event), effects);
}

void Monitor::restarted(const Restart& restart, MonoTime now, Effects& effects) {
  ++state_.counters.restarts;
  state_.counters.restarted += restart.length;
  state_.counters.worst_restart = std::max(state_.counters.worst_restart, restart.length);
  if (restart.after_crash) ++state_.counters.crashes;
  remember_stall({.at = now,
                  .length = restart.length,
                  .cause = restart.after_crash ? Stall::Cause::Crashed : Stall::Cause::Restarted});
  Event event{.kind = Event::Kind::Restarted, .at = now};
  if (restart.after_crash) event.reason = Reason::Crash;
  Event::Extra& extra = event.extra.edit();
  extra.previous = restart.from_version;
  extra.detail = restart.to_version;
  extra.stalled = restart.length;
  tell(std::move(event), effects);
}

void Monitor::remember_stall(const Stall& stall) {
  if (state_.stalls.size() == limits::kStallsMax) state_.stalls.pop_front();
  state_.stalls.push_back(stall);
}

// The client that lives in the slot.
Monitor::Entry Monitor::entry_at(std::uint32_t slot) {
  Client* const client = state_.clients.at(slot);
  assert(client != nullptr);
  return {state_.clients.conn_of(slot), *client};
}

// Applies a checked heartbeat.  Returns whether the client is still there.  The order of the steps matters:
//  1. judge: the ticks before this one end without the heartbeat.
//  2. another id than before is refused, and so is one that the client may not use: neither must count as a
//     heartbeat of this client.  Then a new client of a daemon that drains is sent elsewhere, and a newcomer
//     gets a place, or is refused.
//  3. spacing, gap, margin, rate look back at last_heard and at the silence so far, so they come before
//  4. the heartbeat is counted and its claims are kept;
//  5. introduce: an id may bring another connection's standing, so it comes before
//  6. welcome, which reports the standing, and
//  7. the declared status, which applies to that standing.
//  8. the debug event and 9. the ack report the standing after it.
// 10. a goodbye closes last, so that its ack is sent.
// 11. arm: the client's next instant after all that.
bool Monitor::hear(Entry entry, const Heartbeat& heartbeat, MonoTime now, Effects& effects) {
  Client& client = entry.client;
  const InForce before = in_force(client);
  if (!judge_until(entry, before, now, now, effects)) return false;
  if (!heartbeat.id.empty() && !client.id.empty() && heartbeat.id != client.id) {
    reject(entry, BadInput::IdChanged, diagnose_changed_id(client.id.view(), heartbeat.id), now, effects);
    return false;
  }

  const bool first = !has_spoken(client);
  const bool claims = first || (client.id.empty() && !heartbeat.id.empty());
  if (claims && !is_authorized(entry, heartbeat, now, effects)) return false;
  if (first && state_.drain) [[unlikely]] {
    send_elsewhere(entry, heartbeat, now, effects);
    return false;
  }
  if (client.is_newcomer && !admit(entry, heartbeat, now, effects)) return false;
  const bool declares = heartbeat.interval_ms || heartbeat.quiet_ms;
  const bool asks = declares && asks_for_terms(client, heartbeat);
  bool moved = client.liveness.tick_start() > now;
  if (moved) [[unlikely]] {
    end_quiet(client, now);
  }
  if (claims || heartbeat.interval_ms) moved |= regroup(entry, heartbeat, claims, now);
  const auto [rule, bounds] = moved ? in_force(client) : before;
  if (!first) watch_spacing(entry, rule.tick, now, effects);
  note_gap(client, rule, first, now);
  if (client.liveness.status() == Status::Alive) {
    const std::uint32_t all = ticks_of_a_leave(rule);
    state_.margins.add(std::min(ticks_towards_leave(client.liveness, rule), all), all);
  }
  if (const unsigned rate_max = bounds.max_rate; rate_max > 0) {
    client.meter.count(now - client.last_heard, rate_max);
  }
  if (client.is_replaced || client.is_listed) is_no_longer_silent(entry);
  client.last_heard = now;
  ++client.heartbeats;
  ++state_.counters.heartbeats;
  note_claims(entry, heartbeat, first, now, effects);
  if (claims) introduce(entry, heartbeat.id, first, now, effects);
  const bool is_welcomed = heartbeat.notify && !client.notify;
  if (is_welcomed) {
    client.notify = true;
    welcome(entry, effects);
  }

  if (heartbeat.status != client.declared) {
    client.declared = heartbeat.status;
    note(client, {.at = now, .kind = Moment::Kind::Declared, .status = heartbeat.status});
  }
  if (heartbeat.status == Status::Leave) {
    if (client.history != nullptr) client.history->set_note(heartbeat.note);
    Event event = event_of(Event::Kind::Left, entry.conn, client, now);
    const bool begins = client.liveness.status() == Status::Alive;
    if (begins && !heartbeat.note.empty()) event.extra.edit().detail = '"' + escaped(heartbeat.note) + '"';
    if (client.liveness.declared_leave(now)) {
      enter_leave(entry, Reason::Declared, true, std::move(event), effects);
    }
  } else {
    client.liveness.heard();
  }
  const Millis quiet = heartbeat.quiet_ms ? be_quiet(client, heartbeat, now) : Millis{0};
  // A welcome has the tick already.
  if (asks && client.notify && (!is_welcomed || heartbeat.quiet_ms)) {
    effects.send(entry.conn, [&](std::string& out) {
      append_granted(out, client.liveness.status(), rule_of(client).tick, quiet);
    });
  }

  if (state_.settings.report_heartbeats) {
    Event event = event_of(Event::Kind::Heard, entry.conn, client, now);
    event.extra.edit().declared = heartbeat.status;
    event.extra.edit().seq = heartbeat.seq;
    tell(std::move(event), effects);
  }
  const bool goodbye = heartbeat.status == Status::Close;
  if (heartbeat.ack) {
    const Status status = goodbye ? Status::Close : client.liveness.status();
    effects.send(entry.conn, [&](std::string& out) { append_ack(out, heartbeat.seq, status); });
  }
  if (goodbye) {
    close(entry, closing_of(entry.conn, client, Reason::Goodbye, now), effects);
    return false;
  }
  if (client.liveness.status() == Status::Leave) find_replacement(entry);
  // Otherwise a heartbeat cannot bring the next change nearer than what is armed.
  if (moved || client.liveness.status() == Status::Leave) arm(entry, now);
  return true;
}

// What it claims decides which earlier connection it may have replaced.
void Monitor::note_claims(Entry entry, const Heartbeat& heartbeat, bool first, MonoTime now,
                          Effects& effects) {
  Client& client = entry.client;
  const bool is_same_pid = !heartbeat.pid || client.pid == heartbeat.pid;
  if (!first && client.claimed_ip == heartbeat.ip && is_same_pid) return;
  if (may_replace(client)) replacements_.remove(entry.conn.slot, client);
  client.claimed_ip = heartbeat.ip;
  if (heartbeat.pid) client.pid = heartbeat.pid;
  if (heartbeat.id.empty() && may_replace(client)) find_replaced(entry, now, effects);
}

// Clients that beat steadily but slower than the tick are a condition of their group: its tick is set too
// short.  It counts the clients; as long as one of them beats so, it lasts.
void Monitor::watch_spacing(Entry entry, Millis tick, MonoTime now, Effects& effects) {
  Client& client = entry.client;
  const std::int64_t gap = (now - client.last_heard).count();
  state_.heartbeat_gaps.add(Millis{gap});
  if (gap * 10 <= tick.count() * 11) [[likely]] {
    client.slow_in_a_row = 0;
    client.last_gap_ms = static_cast<std::uint32_t>(gap);
    return;
  }
  beats_slowly(entry, Millis{gap}, tick, now, effects);
}

// A gap that is longer than a tick.
void Monitor::beats_slowly(Entry entry, Millis gap, Millis tick, MonoTime now, Effects& effects) {
  Client& client = entry.client;
  const bool is_alike = client.slow_in_a_row == 0 || are_alike(gap, Millis{client.last_gap_ms});
  const bool was_known = client.slow_in_a_row == limits::kSlowGapsInARow;
  client.slow_in_a_row =
      is_alike ? std::min<std::uint8_t>(client.slow_in_a_row + 1, limits::kSlowGapsInARow) : 0;
  client.last_gap_ms = static_cast<std::uint32_t>(gap.count());
  if (client.slow_in_a_row < limits::kSlowGapsInARow) return;
  const MonoTime over = now + std::max(kConditionQuiet, 3 * gap);
  if (was_known) return state_.conditions.prolong(Condition::Kind::SlowBeats, group_name_of(client), over);
  Event event = event_of(Event::Kind::Slow, entry.conn, client, now);
  event.extra.edit().spacing = gap;
  event.extra.edit().detail = log_value(name_of(client)) + " beats " + describe_spacing(gap, tick);
  happened(Condition::Kind::SlowBeats, group_name_of(client), std::move(event), over, 1, effects);
}

// Only the first part of a frame has come.
void Monitor::begin_frame(Entry entry, MonoTime now) {
  entry.client.frame_begun_ms = low_bits(now);
  const Millis timeout = bounds_of(entry.client).frame_timeout;
  if (timeout > Millis{0}) arm_by(entry, now + timeout);
}

// The client beats too fast.  It is not read for a while, so that backpressure slows it; nothing it sent is
// lost.
void Monitor::stop_reading(Entry entry, MonoTime now, Effects& effects) {
  Client& client = entry.client;
  if (client.held) return;
  effects.read(entry.conn, false);
  client.held = true;
  arm_by(entry, held_until(client, bounds_of(client), rule_of(client)));
  if (client.was_held) return;
  client.was_held = true;
  ++state_.counters.limited;
  note(client, {.at = now, .kind = Moment::Kind::Limited});
  Event event = event_of(Event::Kind::Fast, entry.conn, client, now);
  event.extra.edit().detail = "more than " + std::to_string(bounds_of(client).max_rate) +
                              " heartbeats a second (max_rate); from now on it is read no faster than that";
  tell(std::move(event), effects);
}

void Monitor::go_on_reading(Entry entry, MonoTime now, Effects& effects) {
  effects.read(entry.conn, true);
  entry.client.held = false;
  entry.client.frame_begun_ms = low_bits(now);  // the rest of the frame may have been waiting for us
}

// Bad input: only this connection ends, and the client and the operator are sent what was wrong with it.
void Monitor::reject(Entry entry, BadInput kind, const std::string& what, MonoTime now, Effects& effects) {
  ++state_.counters.bad_input.at(static_cast<std::size_t>(kind));
  if (!judge(entry, now, effects)) return;
  const Reason reason = is_frame_error(kind)    ? Reason::BadFrame
                        : is_unauthorized(kind) ? Reason::Unauthorized
                                                : Reason::BadHeartbeat;
  // The bytes that a sentence quotes may be a client's token.
  const bool may_quote_token = credentials_ != nullptr && reason != Reason::Unauthorized;
  Event event = closing_of(entry.conn, entry.client, reason, now);
  event.extra.edit().bad_input = kind;
  event.extra.edit().detail = may_quote_token ? without_quotes(what) : what;
  close(entry, std::move(event), effects);
}

// What the events of every kind say of a client.  Done again, it changes nothing.
void Monitor::mark(Event& event) const {
  if (is_of_daemon(event.kind)) return;
  const Group* const group = state_.settings.groups.find(event.group);
  if (group != nullptr && event.extra->group.empty()) event.extra.edit().group = group->name;
  if (state_.holds.all().empty()) return;
  const Hold* const hold = state_.holds.find(event.client, event.at);
  if (hold != nullptr && event.extra->on_hold.empty()) event.extra.edit().on_hold = hold->why;
}

// Numbers the event, unless it is of a kind that is not counted.
void Monitor::tell(Event&& event, Effects& effects) {
  const bool counts = event.kind != Event::Kind::Heard;
  mark(event);
  if (counts) event.number = state_.events_told + 1;
  effects.tell(std::move(event));
  if (counts) ++state_.events_told;  // only now: a number whose event was lost would be a gap
}

}  // namespace heartbeat
