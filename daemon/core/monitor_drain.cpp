// A drain (drain.h): the order, each client's turn, and the connections that come meanwhile.
#include <utility>

#include "common/duration.h"
#include "daemon/core/monitor.h"
#include "daemon/core/wording.h"

namespace heartbeat {
namespace {

std::string describe(const DrainOrder& order) {
  return "at " + std::to_string(order.rate) + " clients a second, ordered by uid " +
         std::to_string(order.uid);
}

}  // namespace

void Monitor::drain(const DrainOrder& order, MonoTime now, Effects& effects) {
  now = reach(now);
  Event event{.kind = Event::Kind::Drain, .by = Party::Operator, .at = now};
  event.extra.edit().detail = describe(order);
  happened(Condition::Kind::Drain, {}, std::move(event), MonoTime::never(), 0, effects);
  if (state_.drain) {
    state_.drain->change(order, now);
  } else {
    state_.drain.emplace(order, now);
  }
}

std::optional<std::uint64_t> Monitor::end_drain(std::uint32_t uid, MonoTime now, Effects& effects) {
  now = reach(now);
  if (!state_.drain) return {};
  const std::uint64_t drained = state_.drain->drained();
  state_.conditions.happened(Condition::Kind::Drain, {}, "ended by uid " + std::to_string(uid), now,
                             MonoTime::never(), 0);
  state_.conditions.end_at(Condition::Kind::Drain, {}, now);
  state_.drain.reset();
  review_conditions(now, effects);
  return drained;
}

// One slot.  Called when all clients stand as they do at `now`.  If memory lacks for the close, the same slot
// is visited again.
void Monitor::drain_next(MonoTime now, Effects& effects) {
  Drain& drain = *state_.drain;
  if (drain.next_slot() >= state_.clients.slots()) return complete_drain(now, effects);
  const Client* const client = state_.clients.at(drain.next_slot());
  if (client != nullptr && has_spoken(*client)) {
    close_drained(entry_at(drain.next_slot()), now, {}, effects);
    drain.count_turn(now);
    state_.conditions.add(Condition::Kind::Drain, {}, 1);
  }
  drain.step();
}

void Monitor::complete_drain(MonoTime now, Effects& effects) {
  const Drain& drain = *state_.drain;
  Event event{.kind = Event::Kind::DrainComplete, .by = Party::Operator, .at = now};
  event.extra.edit().detail = std::to_string(drain.drained()) + " clients were drained in " +
                              describe_duration(now - drain.since()) + ", and new ones are refused";
  tell(std::move(event), effects);
  state_.drain->complete();
}

// The first heartbeat of a connection that came during the drain, or had not spoken before.  A program that
// has left its former connection is not judged by that one's silence.
void Monitor::send_elsewhere(Entry entry, const Heartbeat& heartbeat, MonoTime now, Effects& effects) {
  if (heartbeat.notify) entry.client.notify = true;
  if (takes_over(heartbeat.id, now, effects)) {
    close_drained(entry_at(*state_.clients.slot_of(heartbeat.id)), now, "its program has connected again",
                  effects);
    state_.drain->count();
    state_.conditions.add(Condition::Kind::Drain, {}, 1);
  }
  close_drained(entry, now, "the daemon drains, and takes no new clients", effects);
}

void Monitor::close_drained(Entry entry, MonoTime now, std::string_view detail, Effects& effects) {
  Event event = closing_of(entry.conn, entry.client, Reason::Drained, now);
  if (!detail.empty()) event.extra.edit().detail = detail;
  close(entry, std::move(event), effects);
}

}  // namespace heartbeat
