// What concerns every client at one instant: new settings, the end of a brake, the report of one, a hold, the
// shutdown.
//
// A million clients take a tenth of a second and more, so the walk goes from slot to slot in slices, and the
// monitor's time stands still at its instant until it is complete (instant_for()).  A client that is heard
// before the walk has come to it is brought up to date then; each step may be repeated, or (Adopt) knows by
// the client's epoch that it is done.
#include <limits>
#include <utility>

#include "common/text.h"
#include "daemon/core/braked_rule.h"
#include "daemon/core/monitor.h"
#include "daemon/core/wording.h"

namespace heartbeat {

// Returns whether the sweep is complete.  Where memory lacks, the same client is visited again.
bool Monitor::sweep(Slice& slice, Effects& effects) {
  for (; state_.sweep->next_slot < state_.clients.slots(); ++state_.sweep->next_slot) {
    if (!slice.take()) return false;
    if (state_.clients.at(state_.sweep->next_slot) != nullptr)
      visit(entry_at(state_.sweep->next_slot), effects);
  }
  if (state_.sweep->kind == Sweep::Kind::Report) {
    tell_brake_taken(
        state_.sweep->traits.report(state_.brake.spans().back(), state_.listeners, state_.settings.groups),
        effects);
  }
  state_.sweep.reset();
  return true;
}

// In one go: only where one order meets another that is not complete.
void Monitor::finish_sweep(Effects& effects) {
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max() / 2;
  Slice slice{{.clients = kAll, .events = kAll}, effects};
  if (state_.sweep) sweep(slice, effects);
}

void Monitor::visit(Entry entry, Effects& effects) {
  bring_up_to_date(entry);
  Client& client = entry.client;
  switch (state_.sweep->kind) {
    case Sweep::Kind::Adopt:
      if (is_revoked(client)) {
        close_revoked(entry, effects);
      } else {
        arm(entry, state_.sweep->at);
      }
      break;
    case Sweep::Kind::Arm:
    case Sweep::Kind::Hold:
    case Sweep::Kind::Renew: arm(entry, state_.sweep->at); break;
    case Sweep::Kind::Report:
      if (client.counted_by_brake && state_.brake.concerns(silent_leave_of(client, rule_of(client))))
        state_.sweep->traits.add(client);
      break;
    case Sweep::Kind::Close:
      if (!judge(entry, state_.sweep->at, effects)) break;
      close(entry, closing_of(entry.conn, client, Reason::Shutdown, state_.sweep->at), effects);
      break;
  }
}

// Before anything else happens to a client that the sweep may not have visited yet.
void Monitor::bring_up_to_date(Entry entry) {
  if (state_.sweep->kind == Sweep::Kind::Adopt) adopt(entry);
  if (state_.sweep->kind == Sweep::Kind::Renew) renew_leave(entry);
  if (state_.sweep->kind == Sweep::Kind::Hold) fit_to_holds(entry.client, state_.sweep->at);
}

void Monitor::adopt(Entry entry) {
  Client& client = entry.client;
  if (client.epoch == state_.epoch) return;
  if (state_.sweep->counts_change && !client.is_newcomer) {
    state_.settings.bounds.max_clients_per_ip > 0 ? addresses_.add(client.peer)
                                                  : addresses_.remove(client.peer);
  }
  const Rule before = rule_of(client);
  const Membership membership = membership_in_force(client);
  const Rule rule = rule_in(membership.group, client);
  if (before != rule) uncount_for_brake(client);  // the leave may get another beginning, or another end
  count_in_group(client, -1);
  client.epoch = state_.epoch;
  client.named = membership.named;
  enter(client, membership.group, rule);
  count_in_group(client, +1);
  if (before == rule) return;
  // The brake held its close until now: it does not get the rest of the tick as well.
  const bool is_over =
      client.liveness.status() == Status::Leave &&
      client.liveness.next_change(rule_for(client, before, state_.brake)) <= state_.sweep->at;
  client.liveness.restart_tick(before, rule, state_.sweep->at);
  if (is_over) client.liveness.end_leave(rule, state_.sweep->at);
  client.slow_in_a_row = 0;
}

void Monitor::close_revoked(Entry entry, Effects& effects) {
  if (!judge(entry, state_.sweep->at, effects)) return;
  Event event = closing_of(entry.conn, entry.client, Reason::Unauthorized, state_.sweep->at);
  event.extra.edit().detail = "the line of its token \"" + escaped(entry.client.passage->token.name) +
                              "\" is gone from the file of tokens, or is not for its id any more";
  close(entry, std::move(event), effects);
}

// A client that has had its turn has a leave that began with the sweep.
void Monitor::renew_leave(Entry entry) {
  Client& client = entry.client;
  if (!ends_in_silence(client) || client.liveness.left_at() >= state_.sweep->at) return;
  note(client, {.at = state_.sweep->at, .kind = Moment::Kind::Renewed});
  uncount_for_brake(client);
  client.liveness.renew_leave(state_.sweep->at);
}

bool Monitor::counts_address_of(const Client& client) const noexcept {
  if (client.is_newcomer) return false;
  const bool counts = state_.settings.bounds.max_clients_per_ip > 0;
  const bool had_its_turn = client.epoch == state_.epoch;
  return had_its_turn || !state_.sweep->counts_change ? counts : !counts;
}

bool Monitor::shut_down(MonoTime now, Effects& effects) {
  if (state_.sweep && state_.sweep->kind != Sweep::Kind::Close) {  // an order that came before
    Slice slice{slice_size_, effects};
    if (!sweep(slice, effects)) return true;
  }
  if (!state_.sweep) state_.sweep = {.kind = Sweep::Kind::Close, .at = reach(now)};
  return advance(state_.sweep->at, effects);
}

}  // namespace heartbeat
