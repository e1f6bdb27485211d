#include "daemon/core/monitor.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <utility>

#include "common/duration.h"
#include "common/json_diagnosis.h"
#include "common/stream_diagnosis.h"

namespace heartbeat {
namespace {

bool is_alike(std::int64_t gap_ms, std::int64_t other_ms) {
  return std::abs(gap_ms - other_ms) * 10 <= other_ms;
}

}  // namespace

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::MaxClients: return "max_clients";
    case Refusal::MaxClientsPerIp: return "max_clients_per_ip";
    case Refusal::OutOfMemory: return "out_of_memory";
  }
  return "";
}

std::optional<ConnId> Monitor::open(const Endpoint& peer, MonoTime now, Effects& effects,
                                    const std::optional<Endpoint>& listener) {
  catch_up(now, effects);
  if (is_refused(peer, now, effects)) return {};
  const ConnId conn = registry_.add(peer, now);
  const Entry entry = entry_at(conn.slot);
  bool counted = false;
  try {
    if (settings_.bounds.max_clients_per_ip > 0) addresses_.add(peer);
    counted = settings_.bounds.max_clients_per_ip > 0;
    entry.client.listener = number_of(listener);
    arm(entry, now);
    tell(event_of(Event::Kind::Connected, entry, now), effects);
  } catch (...) {  // there is no memory: as if it had never come
    if (counted) addresses_.remove(peer);
    deadlines_.disarm(conn.slot);
    registry_.remove(conn.slot);
    throw;
  }
  ++counters_.connected;
  ++roster_version_;
  return conn;
}

// Tells why, where it is.
bool Monitor::is_refused(const Endpoint& peer, MonoTime now, Effects& effects) {
  const std::size_t from_there_max = settings_.bounds.max_clients_per_ip;
  if (registry_.size() >= settings_.clients_max) {
    turn_away(peer, Refusal::MaxClients,
              std::to_string(registry_.size()) + " clients are connected, which is the maximum", now,
              effects);
    return true;
  }
  if (from_there_max > 0 && addresses_.of(peer) >= from_there_max) {
    turn_away(peer, Refusal::MaxClientsPerIp,
              std::to_string(addresses_.of(peer)) + " clients from " + AddressCounts::name_of(peer) +
                  " are connected, which is the maximum from one address (max_clients_per_ip)",
              now, effects);
    return true;
  }
  return false;
}

void Monitor::refuse_for_memory(const Endpoint& peer, MonoTime now, Effects& effects) {
  turn_away(peer, Refusal::OutOfMemory, "the daemon is out of memory", now, effects);
}

void Monitor::turn_away(const Endpoint& peer, Refusal refusal, std::string_view detail, MonoTime now,
                        Effects& effects) {
  ++counters_.refused;
  ++counters_.refusals.at(static_cast<std::size_t>(refusal));
  Event refused{.kind = Event::Kind::Refused, .at = now, .client = to_string(peer), .peer = peer};
  refused.reason = Reason::Limit;
  refused.detail = detail;
  tell(std::move(refused), effects);
}

void Monitor::receive(ConnId conn, std::string_view bytes, MonoTime now, Effects& effects) {
  catch_up(now, effects);
  Client* const client = registry_.find(conn);
  if (client == nullptr) return;
  const Entry entry{conn, *client};
  client->sent_bytes = true;
  // The end of a frame whose time is over comes too late.
  bool in_old_frame = client->decoder.in_frame();
  if (in_old_frame && !judge(entry, now, effects)) return;

  for (bool heard = false;; heard = true) {
    const FrameDecoder::Result frame = client->decoder.next(bytes, settings_.frame_max);
    if (frame.state == FrameDecoder::State::NeedMore) {
      if (!in_old_frame && client->decoder.in_frame()) begin_frame(entry, now);
      if (heard && client->meter.is_over(settings_.bounds.max_rate)) hold(entry, now, effects);
      return;
    }
    in_old_frame = false;
    if (frame.state == FrameDecoder::State::Bad) {
      reject(entry, frame.error, diagnose_length(frame.body, settings_.frame_max), now, effects);
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

void Monitor::disconnect(ConnId conn, Reason reason, MonoTime now, Effects& effects,
                         std::string_view detail) {
  catch_up(now, effects);
  Client* const client = registry_.find(conn);
  if (client == nullptr) return;
  const Entry entry{conn, *client};
  if (!judge(entry, now, effects)) return;
  Event event = closing(entry, reason, reason == Reason::Limit ? Party::Daemon : Party::Client, now);
  event.detail = detail;
  close(entry, std::move(event), effects);
}

void Monitor::abandon(ConnId conn) noexcept {
  if (Client* const client = registry_.find(conn)) remove({conn, *client}, Reason::Limit);
}

// Each instant in turn, so that the brake finds everybody as they were when it has to look; of one instant
// it comes first.
void Monitor::advance(MonoTime now, Effects& effects) {
  for (;;) {
    const MonoTime due = deadlines_.next();
    if (brake_.next() <= std::min(due, now)) {
      advance_brake(effects);
      continue;
    }
    if (due > now) return;
    // It stays where it is in the heap until it is armed anew, or gone: to take it out first is dearer, and
    // would forget it where there is no memory to judge it.
    const Entry entry = entry_at(deadlines_.first());
    if (!judge_until(entry, due, now, effects)) continue;
    if (entry.client.held && held_until(entry.client) <= now) release(entry, now, effects);
    arm(entry, now);
  }
}

MonoTime Monitor::next_change(MonoTime horizon) {
  while (deadlines_.next() <= horizon) {
    const MonoTime armed = deadlines_.next();
    const std::uint32_t slot = deadlines_.first();
    arm(entry_at(slot), horizon);  // a later instant than now tells the age of a frame as well
    if (deadlines_.of(slot) == armed) break;
  }
  return std::min(deadlines_.next(), brake_.next());
}

void Monitor::catch_up(MonoTime now, Effects& effects) {
  const bool may_hold = brake_.is_on() && registry_.size() >= settings_.brake.clients_min;
  if ((may_hold || brake_.holds()) && next_deadline() <= now) advance(now, effects);
}

void Monitor::stalled(Millis length, MonoTime now, Effects& effects) {
  ++counters_.stalls;
  counters_.stalled += length;
  counters_.worst_stall = std::max(counters_.worst_stall, length);
  remember_stall({.at = now, .length = length});
  Event event{.kind = Event::Kind::Stalled, .at = now};
  event.stalled = length;
  tell(std::move(event), effects);
}

void Monitor::suspended(Millis length, MonoTime now, Effects& effects) {
  ++counters_.suspensions;
  counters_.suspended += length;
  remember_stall({.at = now, .length = length, .suspended = true});
  Event event{.kind = Event::Kind::Suspended, .at = now};
  event.stalled = length;
  tell(std::move(event), effects);
}

void Monitor::remember_stall(const Stall& stall) {
  if (stalls_.size() == limits::kStallsMax) stalls_.pop_front();
  stalls_.push_back(stall);
}

void Monitor::accept_paused(std::string_view detail, MonoTime now, Effects& effects) {
  Event event{.kind = Event::Kind::AcceptPaused, .at = now};
  event.detail = detail;
  tell(std::move(event), effects);
}

bool Monitor::kick(std::string_view name, std::string_view message, MonoTime now, Effects& effects) {
  catch_up(now, effects);
  const auto slot = registry_.slot_named(name);
  if (!slot || !judge(entry_at(*slot), now, effects)) return false;
  const Entry entry = entry_at(*slot);
  Event event = closing(entry, Reason::Kicked, Party::Operator, now);
  event.detail = message;
  close(entry, std::move(event), effects);
  return true;
}

void Monitor::shut_down(MonoTime now, Effects& effects) {
  catch_up(now, effects);
  for (std::uint32_t slot = 0; slot < registry_.slots(); ++slot) {
    if (registry_.at(slot) == nullptr) continue;
    const Entry entry = entry_at(slot);
    if (!judge(entry, now, effects)) continue;
    close(entry, closing(entry, Reason::Shutdown, Party::Daemon, now), effects);
  }
}

// The client that lives in the slot.
Monitor::Entry Monitor::entry_at(std::uint32_t slot) {
  Client* const client = registry_.at(slot);
  assert(client != nullptr);
  return {registry_.conn_of(slot), *client};
}

bool Monitor::hear(Entry entry, const Heartbeat& heartbeat, MonoTime now, Effects& effects) {
  Client& client = entry.client;
  if (!judge(entry, now, effects)) return false;
  if (!heartbeat.id.empty() && !client.id.empty() && heartbeat.id != client.id) {
    reject(entry, BadInput::IdChanged, diagnose_changed_id(client.id.view(), heartbeat.id), now, effects);
    return false;
  }

  const bool first = client.claimed_ip.empty();
  if (!first) watch_spacing(entry, now, effects);
  note_gap(client, first, now);
  if (client.liveness.status() == Status::Alive) {
    const std::uint32_t all = ticks_of_a_leave(settings_.rule);
    margins_.add(std::min(ticks_towards_leave(client.liveness, settings_.rule), all), all);
  }
  if (settings_.bounds.max_rate > 0) client.meter.count(now - client.last_heard, settings_.bounds.max_rate);
  client.last_heard = now;
  ++client.heartbeats;
  ++counters_.heartbeats;
  if (client.claimed_ip != heartbeat.ip) client.claimed_ip = heartbeat.ip;
  if (heartbeat.pid) client.pid = heartbeat.pid;
  if (first || (client.id.empty() && !heartbeat.id.empty()))
    introduce(entry, heartbeat.id, first, now, effects);
  if (heartbeat.notify && !client.notify) {
    client.notify = true;
    welcome(entry, effects);
  }

  if (heartbeat.status != client.declared) {
    client.declared = heartbeat.status;
    note(client, {.at = now, .kind = Moment::Kind::Declared, .status = heartbeat.status});
  }
  if (heartbeat.status == Status::Leave) {
    Event event = event_of(Event::Kind::Left, entry, now);
    if (client.liveness.declared_leave(now)) {
      enter_leave(entry, Reason::Declared, true, std::move(event), effects);
    }
  } else {
    client.liveness.heard();
  }

  if (settings_.report_heartbeats) {
    Event event = event_of(Event::Kind::Heard, entry, now);
    event.declared = heartbeat.status;
    event.seq = heartbeat.seq;
    tell(std::move(event), effects);
  }
  const bool goodbye = heartbeat.status == Status::Close;
  if (heartbeat.ack) {
    const Status status = goodbye ? Status::Close : client.liveness.status();
    effects.send(entry.conn, [&](std::string& out) { append_ack(out, heartbeat.seq, status); });
  }
  if (goodbye) {
    close(entry, closing(entry, Reason::Goodbye, Party::Client, now), effects);
    return false;
  }
  // Only in leave can a heartbeat bring the next change nearer than what is armed.
  if (client.liveness.status() == Status::Leave) arm(entry, now);
  return true;
}

bool Monitor::judge_until(Entry entry, MonoTime until, MonoTime now, Effects& effects) {
  const TimeLimit limit = time_limit(entry.client, now);
  if (!judge_ticks(entry, std::min(until, limit.at), now, effects)) return false;
  if (limit.at > until) return true;
  out_of_time(entry, limit, now, effects);
  return false;
}

// Makes what the rule changes up to and including `until`.
bool Monitor::judge_ticks(Entry entry, MonoTime until, MonoTime now, Effects& effects) {
  Client& client = entry.client;
  const auto next_change = [&] {
    if (!ends_in_silence(client)) return client.liveness.advance(settings_.rule, until);
    return client.liveness.advance(rule_for(client, settings_.rule, brake_), until);
  };
  for (;;) {
    const Liveness before = client.liveness;
    const auto change = next_change();
    if (!change) return true;
    bool counted = false;
    try {
      Event event = event_of(*change, entry);
      verdict_lateness_.add(now - change->at);
      if (change->kind == Change::Kind::Expired) {
        expire(entry, std::move(event), effects);
        return false;
      }
      counted = true;
      make(*change, entry, std::move(event), effects);
    } catch (...) {  // there is no memory: what nobody was told of is still to be made
      if (!counted) client.liveness = before;
      throw;
    }
  }
}

Event Monitor::event_of(const Change& change, Entry entry) {
  static constexpr std::array kKinds{Event::Kind::Struck, Event::Kind::Left, Event::Kind::Returned,
                                     Event::Kind::Closed};
  Event event = event_of(kKinds.at(static_cast<std::size_t>(change.kind)), entry, change.at);
  const bool was_alive = change.kind == Change::Kind::Struck || change.kind == Change::Kind::Left;
  event.from = was_alive ? Status::Alive : Status::Leave;
  event.silence = change.silence;
  event.strikes = change.strikes;
  event.steady = change.steady;
  return event;
}

// What follows from a change that the liveness has made, but for an expiry.
void Monitor::make(const Change& change, Entry entry, Event&& event, Effects& effects) {
  Client& client = entry.client;
  switch (change.kind) {
    case Change::Kind::Struck:
      ++counters_.strikes;
      client.nearest_to_leave =
          std::max(client.nearest_to_leave, ticks_towards_leave(client.liveness, settings_.rule));
      note(client, {.at = change.at, .strikes = change.strikes, .kind = Moment::Kind::Struck});
      tell(std::move(event), effects);
      break;
    case Change::Kind::Left:
      margins_.add_none();
      enter_leave(entry, Reason::Silent, false, std::move(event), effects);
      break;
    case Change::Kind::Returned:
      ++counters_.returns;
      uncount_for_brake(client);
      --in_leave_;
      ++roster_version_;
      note(client, {.at = change.at, .kind = Moment::Kind::Returned});
      if (client.notify) {
        effects.send(entry.conn,
                     [](std::string& out) { append_status(out, Status::Alive, to_string(Reason::Steady)); });
      }
      event.reason = Reason::Steady;
      tell(std::move(event), effects);
      break;
    case Change::Kind::Expired: break;
  }
}

// A leave has lasted its whole timeout.
void Monitor::expire(Entry entry, Event&& closing, Effects& effects) {
  closing.to = Status::Close;
  closing.reason = entry.client.away ? Reason::Away : Reason::Silent;
  if (const Millis held = closing.at - entry.client.liveness.left_at() - settings_.rule.leave_timeout;
      held > Millis{0}) {
    closing.detail = "held for " + describe_duration(held) + " by the brake on mass closing";
  }
  close(entry, std::move(closing), effects);
}

Monitor::TimeLimit Monitor::time_limit(const Client& client, MonoTime now) const {
  TimeLimit limit{MonoTime::never(), Reason::NeverSpoke};
  const bool in_frame = client.decoder.in_frame() && !client.held;  // held back, it cannot finish it
  if (has_spoken(client) && !in_frame) return limit;

  const Millis hello = hello_timeout(settings_.bounds, settings_.rule);
  if (!has_spoken(client) && hello > Millis{0}) limit.at = client.connected_at + hello;
  if (in_frame && settings_.bounds.frame_timeout > Millis{0}) {
    const MonoTime at = now - frame_age(client, now) + settings_.bounds.frame_timeout;
    if (at <= limit.at) limit = {at, Reason::FrameTimeout};
  }
  limit.at = std::max(limit.at, bounds_since_);
  return limit;
}

void Monitor::out_of_time(Entry entry, const TimeLimit& limit, MonoTime now, Effects& effects) {
  verdict_lateness_.add(now - limit.at);
  Event event = closing(entry, limit.reason, Party::Daemon, limit.at);
  event.detail = limit.reason == Reason::NeverSpoke
                     ? "no heartbeat came within " +
                           describe_duration(hello_timeout(settings_.bounds, settings_.rule)) +
                           " (hello_timeout)"
                     : "a frame was begun and not finished within " +
                           describe_duration(settings_.bounds.frame_timeout) + " (frame_timeout)";
  close(entry, std::move(event), effects);
}

// Only the first part of a frame has come.
void Monitor::begin_frame(Entry entry, MonoTime now) {
  entry.client.frame_begun_ms = low_bits(now);
  if (settings_.bounds.frame_timeout > Millis{0}) arm_by(entry, now + settings_.bounds.frame_timeout);
}

// It beats too fast: it is not read for a while, so that it has to wait where it writes.  Nothing that it has
// sent is lost by it.
void Monitor::hold(Entry entry, MonoTime now, Effects& effects) {
  Client& client = entry.client;
  if (client.held) return;
  effects.read(entry.conn, false);
  client.held = true;
  arm_by(entry, held_until(client));
  if (client.was_held) return;
  client.was_held = true;
  ++counters_.limited;
  note(client, {.at = now, .kind = Moment::Kind::Limited});
  Event event = event_of(Event::Kind::Fast, entry, now);
  event.detail = "more than " + std::to_string(settings_.bounds.max_rate) +
                 " heartbeats a second (max_rate); from now on it is read no faster than that";
  tell(std::move(event), effects);
}

MonoTime Monitor::held_until(const Client& client) const {
  const Millis enough = client.meter.until_half(settings_.bounds.max_rate);
  return client.last_heard + std::min(enough, hold_max(settings_.rule));
}

void Monitor::release(Entry entry, MonoTime now, Effects& effects) {
  effects.read(entry.conn, true);
  entry.client.held = false;
  entry.client.frame_begun_ms = low_bits(now);  // the rest of it may have been waiting for us
}

// Tells, once for the whole daemon, that clients beat steadily but slower than the tick.
void Monitor::watch_spacing(Entry entry, MonoTime now, Effects& effects) {
  Client& client = entry.client;
  const std::int64_t gap = (now - client.last_heard).count();
  const std::int64_t tick = settings_.rule.tick.count();
  const bool slow = gap * 10 > tick * 11 && (client.slow_in_a_row == 0 || is_alike(gap, client.last_gap_ms));
  client.slow_in_a_row = slow ? std::min<std::uint8_t>(client.slow_in_a_row + 1, limits::kSlowGapsInARow) : 0;
  client.last_gap_ms = static_cast<std::uint32_t>(gap);
  heartbeat_gaps_.add(Millis{gap});
  if (told_of_slow_beats_ || client.slow_in_a_row < limits::kSlowGapsInARow) return;
  told_of_slow_beats_ = true;
  Event event = event_of(Event::Kind::Slow, entry, now);
  event.spacing = Millis{gap};
  tell(std::move(event), effects);
}

// The liveness is in leave already; this is what follows from it.  `away`: it began with a declaration.
void Monitor::enter_leave(Entry entry, Reason reason, bool away, Event event, Effects& effects) {
  entry.client.leave_reason = reason;
  entry.client.away = away;
  entry.client.nearest_to_leave = ticks_of_a_leave(settings_.rule);
  ++counters_.leaves;
  ++in_leave_;
  ++roster_version_;
  note(entry.client, {.at = event.at, .kind = Moment::Kind::Left, .reason = reason});
  count_for_brake(entry.client);
  if (entry.client.notify) {
    effects.send(entry.conn, [&](std::string& out) { append_status(out, Status::Leave, to_string(reason)); });
  }
  event.reason = reason;
  event.to = Status::Leave;
  tell(std::move(event), effects);
}

// Bad input: this connection alone ends, and it and the operator are told what was wrong with it.
void Monitor::reject(Entry entry, BadInput kind, const std::string& what, MonoTime now, Effects& effects) {
  ++counters_.bad_input.at(static_cast<std::size_t>(kind));
  if (!judge(entry, now, effects)) return;
  const Reason reason = is_frame_error(kind) ? Reason::BadFrame : Reason::BadHeartbeat;
  Event event = closing(entry, reason, Party::Daemon, now);
  event.bad_input = kind;
  event.detail = what;
  close(entry, std::move(event), effects);
}

// Where there is no memory for it, it is still connected.
void Monitor::close(Entry entry, Event&& closing, Effects& effects) {
  Client& client = entry.client;
  effects.make_room();  // telling it comes last
  if (!client.claimed_ip.empty()) {
    closed_.remember({.name = NameText{closing.client},
                      .claimed_ip = ShortText{client.claimed_ip.view()},
                      .connected_at = client.connected_at,
                      .last_heard = client.last_heard,
                      .closed_at = closing.at,
                      .heartbeats = client.heartbeats,
                      .detail = closing.detail,
                      .history = std::move(client.history),
                      .peer = client.peer,
                      .pid = client.pid,
                      .nearest_to_leave = client.nearest_to_leave,
                      .status = closing.from,
                      .away = client.away,
                      .reason = closing.reason,
                      .by = closing.by});
  }
  drop(entry, closing.reason, closing.detail, effects);
  tell(std::move(closing), effects);
}

// The end of a connection's record; its client may live on in another.
void Monitor::drop(Entry entry, Reason reason, std::string_view detail, Effects& effects) {
  if (entry.client.notify) {
    effects.send(entry.conn,
                 [&](std::string& out) { append_status(out, Status::Close, to_string(reason), detail); });
  }
  effects.close(entry.conn);
  remove(entry, reason);
}

// All of it that cannot fail.
void Monitor::remove(Entry entry, Reason reason) noexcept {
  ++counters_.closes.at(static_cast<std::size_t>(reason));
  if (entry.client.liveness.status() != Status::Alive) --in_leave_;  // only a leave expires
  uncount_for_brake(entry.client);
  if (!entry.client.sent_bytes) ++counters_.probes;
  if (settings_.bounds.max_clients_per_ip > 0) addresses_.remove(entry.client.peer);
  ++roster_version_;
  deadlines_.disarm(entry.conn.slot);
  registry_.remove(entry.conn.slot);
}

// When something may happen to it by itself.
MonoTime Monitor::next_look(const Client& client, MonoTime now) const {
  const MonoTime change = client.liveness.next_change(rule_for(client, settings_.rule, brake_));
  const MonoTime at = std::min(change, time_limit(client, now).at);
  return client.held ? std::min(at, held_until(client)) : at;
}

void Monitor::arm(Entry entry, MonoTime now) {
  count_for_brake(entry.client);
  deadlines_.arm(entry.conn.slot, next_look(entry.client, now));
}

// Not later than `at`: to look too early does no harm.
void Monitor::arm_by(Entry entry, MonoTime at) {
  if (at < deadlines_.of(entry.conn.slot)) deadlines_.arm(entry.conn.slot, at);
}

// Numbers the event, where it is one of those that are counted.
void Monitor::tell(Event&& event, Effects& effects) {
  const bool counts = event.kind != Event::Kind::Heard;
  if (counts) event.number = events_told_ + 1;
  effects.tell(std::move(event));
  if (counts) ++events_told_;  // a number that nobody was told would be a gap
}

// A history begins with the connection that it was first needed on.
void Monitor::note(Client& client, const Moment& moment) {
  if (client.history == nullptr) {
    client.history = std::make_unique<History>();
    client.history->add({.at = client.connected_at, .peer = client.peer, .kind = Moment::Kind::Connected});
  }
  client.history->add(moment);
}

// Before a heartbeat is counted: were there whole ticks without one?  The tick that was heard last began a
// whole number of ticks before the present one, and those between the two were silent.  An accept is no
// heartbeat: before the first one the tick of the accept was silent too.
void Monitor::note_gap(Client& client, bool first, MonoTime now) const {
  const Millis before_tick = client.liveness.tick_start() - client.last_heard;
  if (before_tick < settings_.rule.tick) return;
  const std::int64_t silent_ticks = (before_tick.count() - (first ? 0 : 1)) / settings_.rule.tick.count();
  if (silent_ticks == 0) return;
  note(client, {.at = now,
                .silent = now - client.last_heard,
                .ticks = static_cast<std::uint32_t>(silent_ticks),
                .kind = Moment::Kind::Gap});
  client.nearest_to_leave =
      std::max(client.nearest_to_leave, ticks_towards_leave(client.liveness, settings_.rule));
}

Event Monitor::event_of(Event::Kind kind, Entry entry, MonoTime at) {
  const Client& client = entry.client;
  Event event{.kind = kind, .at = at, .conn = entry.conn, .client = name_of(client), .peer = client.peer};
  event.claimed_ip = client.claimed_ip.view();
  event.pid = client.pid;
  event.from = event.to = client.liveness.status();
  event.silence = client.liveness.silence();
  event.strikes = client.liveness.strikes();
  event.steady = client.liveness.steady();
  event.silent = at - client.last_heard;
  event.connected = at - client.connected_at;
  event.heartbeats = client.heartbeats;
  event.sent_bytes = client.sent_bytes;
  return event;
}

Event Monitor::closing(Entry entry, Reason reason, Party by, MonoTime at) {
  Event event = event_of(Event::Kind::Closed, entry, at);
  event.to = Status::Close;
  event.reason = reason;
  event.by = by;
  return event;
}

}  // namespace heartbeat
