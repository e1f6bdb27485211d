// When clients are judged, what follows from it, and how a client ends.
#include <algorithm>
#include <utility>

#include "common/duration.h"
#include "common/stream_diagnosis.h"
#include "daemon/core/braked_rule.h"
#include "daemon/core/monitor.h"
#include "daemon/core/wording.h"

namespace heartbeat {

// Each instant in turn, so that the brake finds all clients as they were when it must decide.  At one instant
// holds end first, so that the closes that they delayed are not reported as held; then comes the brake.
bool Monitor::advance(MonoTime now, Effects& effects) {
  Slice slice{slice_size_, effects};
  for (;;) {
    if (state_.sweep && !sweep(slice, effects)) return true;
    if (next_deadline() > now) break;
    const MonoTime due = deadlines_.next();
    if (state_.holds.next() <= std::min({due, state_.brake.next(), next_absence(), now})) {
      if (!slice.take()) return true;
      end_first_hold(effects);
      continue;
    }
    const bool brake_is_first = state_.brake.next() <= std::min(due, now);
    // The brake compares the connected clients alone, so at one instant this comes last.
    const bool absence_is_first =
        next_absence() <= now && next_absence() < std::min(due, state_.brake.next());
    // It comes when every client stands as it does at `now`, so that none is closed before its verdict.
    const bool only_drain_is_due = !brake_is_first && !absence_is_first && due > now;
    if (!slice.take()) return true;
    if (only_drain_is_due) {
      drain_next(now, effects);
      continue;
    }
    if (absence_is_first) {
      report_absent(effects);
      continue;
    }
    if (brake_is_first) {
      advance_brake(effects);
      continue;
    }
    // The client stays in the heap until it is armed anew or gone: to take it out first is dearer, and would
    // lose it where memory lacks to judge it.
    const Entry entry = entry_at(deadlines_.first());
    const InForce terms = in_force(entry.client);
    if (!judge_until(entry, terms, due, now, effects)) continue;
    if (entry.client.held && held_until(entry.client, terms.bounds, terms.rule) <= now) {
      go_on_reading(entry, now, effects);
    }
    arm(entry, now);
  }
  state_.now = std::max(state_.now, now);
  return false;
}

MonoTime Monitor::next_change(MonoTime horizon) {
  for (std::size_t left = slice_size_.clients; left > 0 && deadlines_.next() <= horizon; --left) {
    const MonoTime armed = deadlines_.next();
    const std::uint32_t slot = deadlines_.first();
    arm(entry_at(slot), horizon);  // a later instant than now gives the age of a frame as well
    if (deadlines_.of(slot) == armed) break;
  }
  return next_deadline();
}

bool Monitor::judge_until(Entry entry, const InForce& terms, MonoTime until, MonoTime now, Effects& effects) {
  if (!is_limited(entry.client)) [[likely]] {
    return judge_ticks(entry, terms.rule, until, now, effects);
  }
  const TimeLimit limit = time_limit(entry.client, terms.bounds, terms.rule, state_.bounds_since, now);
  if (!judge_ticks(entry, terms.rule, std::min(until, limit.at), now, effects)) return false;
  if (limit.at > until) return true;
  out_of_time(entry, limit, now, effects);
  return false;
}

// Makes what the rule changes up to and including `until`.
bool Monitor::judge_ticks(Entry entry, const Rule& rule, MonoTime until, MonoTime now, Effects& effects) {
  Client& client = entry.client;
  if (client.liveness.status() == Status::Alive && client.liveness.passes(rule, until)) [[likely]] {
    return true;
  }
  const auto next_change = [&] {
    if (client.liveness.status() != Status::Leave) return client.liveness.advance(rule, until);
    return client.liveness.advance(rule_for(client, rule, state_.brake), until);
  };
  for (;;) {
    const Liveness before = client.liveness;
    const auto change = next_change();
    if (!change) return true;
    bool counted = false;
    try {
      Event event = event_of(*change, entry.conn, client);
      state_.verdict_lateness.add(now - change->at);
      if (change->kind == Change::Kind::Expired) {
        expire(entry, std::move(event), effects);
        return false;
      }
      counted = true;
      make(*change, entry, std::move(event), effects);
    } catch (...) {  // out of memory: a change that was not reported is still to be made
      if (!counted) client.liveness = before;
      throw;
    }
  }
}

// What follows from a change that the liveness has made, except an expiry.
void Monitor::make(const Change& change, Entry entry, Event&& event, Effects& effects) {
  Client& client = entry.client;
  switch (change.kind) {
    case Change::Kind::Struck:
      ++state_.counters.strikes;
      client.nearest_to_leave =
          std::max(client.nearest_to_leave, ticks_towards_leave(client.liveness, rule_of(client)));
      note(client, {.at = change.at, .strikes = change.strikes, .kind = Moment::Kind::Struck});
      tell(std::move(event), effects);
      break;
    case Change::Kind::Left:
      state_.margins.add_none();
      enter_leave(entry, Reason::Silent, false, std::move(event), effects);
      break;
    case Change::Kind::Returned:
      ++state_.counters.returns;
      is_no_longer_silent(entry);
      uncount_for_brake(client);
      count_leave(client, -1);
      ++state_.roster_version;
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

// The liveness is in leave already; this is what follows from it.  `away`: the leave began with a
// declaration.
void Monitor::enter_leave(Entry entry, Reason reason, bool away, Event event, Effects& effects) {
  Client& client = entry.client;
  client.leave_reason = reason;
  client.away = away;
  client.nearest_to_leave = ticks_of_a_leave(rule_of(client));
  ++state_.counters.leaves;
  count_leave(client, +1);
  ++state_.roster_version;
  note(client, {.at = event.at, .kind = Moment::Kind::Left, .reason = reason});
  find_replacement(entry);
  count_for_brake(client);
  if (client.notify) {
    effects.send(entry.conn, [&](std::string& out) { append_status(out, Status::Leave, to_string(reason)); });
  }
  event.reason = reason;
  event.to = Status::Leave;
  tell(std::move(event), effects);
}

// A leave has lasted its whole timeout.
void Monitor::expire(Entry entry, Event&& closing, Effects& effects) {
  closing.to = Status::Close;
  closing.reason = entry.client.away ? Reason::Away : Reason::Silent;
  const Millis held = closing.at - entry.client.liveness.left_at() - rule_of(entry.client).leave_timeout;
  if (held > Millis{0}) {
    const bool by_operator = on_hold_until(entry.client) == closing.at;
    closing.extra.edit().detail = "held for " + describe_duration(held) +
                                  (by_operator ? " by an operator" : " by the brake on mass closing");
  }
  close(entry, std::move(closing), effects);
}

void Monitor::out_of_time(Entry entry, const TimeLimit& limit, MonoTime now, Effects& effects) {
  state_.verdict_lateness.add(now - limit.at);
  Event event = closing_of(entry.conn, entry.client, limit.reason, limit.at);
  std::string& detail = event.extra.edit().detail;
  detail = describe(limit, bounds_of(entry.client), rule_of(entry.client));
  if (entry.client.decoder.in_frame()) {
    detail += ": " + diagnose_unfinished(entry.client.decoder.unfinished());
  }
  close(entry, std::move(event), effects);
}

// If memory lacks for it, the client is still connected.
void Monitor::close(Entry entry, Event&& closing, Effects& effects) {
  Client& client = entry.client;
  effects.make_room();  // the event comes last, and must not fail then
  mark(closing);
  if (has_spoken(client)) {
    state_.closed.remember({.name = closing.client,
                            .claimed_ip = client.claimed_ip,
                            .group = ShortText{group_name_of(client)},
                            .connected_at = client.connected_at,
                            .last_heard = client.last_heard,
                            .closed_at = closing.at,
                            .heartbeats = client.heartbeats,
                            .detail = closing.extra->detail,
                            .history = std::move(client.history),
                            .passage = std::move(client.passage),
                            .peer = client.peer,
                            .pid = client.pid,
                            .nearest_to_leave = client.nearest_to_leave,
                            .status = closing.from,
                            .away = client.away,
                            .reason = closing.reason,
                            .by = closing.by});
  } else {
    closing.counted = remember_refused(closing, effects);
    effects.make_room();
  }
  drop(entry, closing.reason, closing.extra->detail, effects);
  tell(std::move(closing), effects);
}

// The end of a connection's record; its client may live on in another.
void Monitor::drop(Entry entry, Reason reason, std::string_view detail, Effects& effects) {
  const bool is_drained = reason == Reason::Drained && state_.drain;
  const Millis retry_after = is_drained ? state_.drain->take_retry_after() : Millis{0};
  if (entry.client.notify) {
    effects.send(entry.conn, [&](std::string& out) {
      append_status(out, Status::Close, to_string(reason), detail, retry_after);
    });
  }
  effects.close(entry.conn);
  remove(entry, reason);
}

// The part of an end that cannot fail.
void Monitor::remove(Entry entry, Reason reason) noexcept {
  const Client& client = entry.client;
  ++state_.counters.closes.at(static_cast<std::size_t>(reason));
  if (client.liveness.status() != Status::Alive) count_leave(client, -1);  // only a leave expires
  --count_of_group(client).clients;
  uncount_for_brake(entry.client);
  if (!client.sent_bytes) ++state_.counters.probes;
  if (counts_address_of(client)) addresses_.remove(client.peer);
  if (client.is_newcomer) {
    newcomers_by_address_.remove(client.peer);
    --newcomers_;
  }
  is_no_longer_silent(entry);
  if (may_replace(client)) replacements_.remove(entry.conn.slot, client);
  dead_.remove(entry.conn.slot, client.peer);
  ++state_.roster_version;
  deadlines_.disarm(entry.conn.slot);
  state_.clients.remove(entry.conn.slot);
}

// A client in leave has come or gone.
void Monitor::count_leave(const Client& client, int by) noexcept {
  std::size_t& count = client.away ? away_ : silent_;
  count += static_cast<std::size_t>(by);  // -1 wraps round to one less
  count_of_group(client).leave += static_cast<std::size_t>(by);
}

// When something may happen to the client by itself.
MonoTime Monitor::next_look(const Client& client, MonoTime now) const {
  const auto [rule, bounds] = in_force(client);
  const MonoTime change = client.liveness.next_change(rule_for(client, rule, state_.brake));
  const MonoTime at = std::min(change, time_limit(client, bounds, rule, state_.bounds_since, now).at);
  return client.held ? std::min(at, held_until(client, bounds, rule)) : at;
}

void Monitor::arm(Entry entry, MonoTime now) {
  count_for_brake(entry.client);
  list_if_dead(entry);
  deadlines_.arm(entry.conn.slot, next_look(entry.client, now));
}

// Not later than `at`: to look too early does no harm.
void Monitor::arm_by(Entry entry, MonoTime at) {
  if (at < deadlines_.of(entry.conn.slot)) deadlines_.arm(entry.conn.slot, at);
}

}  // namespace heartbeat
