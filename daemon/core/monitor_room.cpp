// Which connections have a place where max_clients or max_clients_per_ip leaves none.
//
// After an outage the dead connections hold their places, and their programs are at the door.  What a
// newcomer is shows only at its first heartbeat, so a bounded number of connections is let in over the bound
// until then, and a quarter of that number from one address.  A newcomer that takes over an id stays, as it
// needs no further place.  For another one, the connection that is dead the longest is given up
// (dead_connections.h); where there is none, it is refused.
#include <string>
#include <utility>

#include "daemon/core/monitor.h"
#include "daemon/core/wording.h"

namespace heartbeat {

std::optional<Refusal> Monitor::lacking_for(const Endpoint& peer) const {
  const std::size_t from_there_max = state_.settings.bounds.max_clients_per_ip;
  if (from_there_max > 0 && addresses_.of(peer) >= from_there_max) return Refusal::MaxClientsPerIp;
  if (state_.clients.size() - newcomers_ >= state_.settings.clients_max) return Refusal::MaxClients;
  return {};
}

bool Monitor::may_be_newcomer(const Endpoint& peer) const {
  return newcomers_ < state_.settings.newcomers_max &&
         newcomers_by_address_.of(peer) < state_.settings.newcomers_per_address_max;
}

std::string Monitor::describe_lacking(Refusal lacking, const Endpoint& peer) const {
  if (lacking == Refusal::MaxClientsPerIp) {
    return std::to_string(addresses_.of(peer)) + " clients from " + AddressCounts::name_of(peer) +
           " are connected, which is the maximum from one address (max_clients_per_ip)";
  }
  return std::to_string(state_.clients.size() - newcomers_) + " clients are connected, which is the maximum";
}

// The first heartbeat of a connection that was let in over a bound.  Returns whether it stays.
bool Monitor::admit(Entry entry, const Heartbeat& heartbeat, MonoTime now, Effects& effects) {
  Client& client = entry.client;
  if (!takes_over(heartbeat.id, now, effects)) {
    while (const auto lacking = lacking_for(client.peer)) {
      if (give_up_for(client.peer, *lacking, now, effects)) continue;
      client.notify = heartbeat.notify;  // so that it is sent the reason
      refuse_newcomer(entry, *lacking, now, effects);
      return false;
    }
  }
  client.is_newcomer = false;
  if (counts_address_of(client)) {
    try {
      addresses_.add(client.peer);
    } catch (...) {
      client.is_newcomer = true;
      throw;
    }
  }
  --newcomers_;
  newcomers_by_address_.remove(client.peer);
  return true;
}

// Whether another connection has this id, and is still there at `now`.
bool Monitor::takes_over(std::string_view id, MonoTime now, Effects& effects) {
  const auto slot = state_.clients.slot_of(id);
  if (!slot) return false;
  const Entry earlier = entry_at(*slot);
  if (state_.sweep) bring_up_to_date(earlier);
  return judge(earlier, now, effects);
}

// Gives up the connection that is dead the longest.  Returns false where there is none.
bool Monitor::give_up_for(const Endpoint& newcomer, Refusal lacking, MonoTime now, Effects& effects) {
  const auto slot = lacking == Refusal::MaxClientsPerIp ? dead_.first_from(newcomer, now) : dead_.first(now);
  if (!slot) return false;
  const Entry dead = entry_at(*slot);
  if (state_.sweep) bring_up_to_date(dead);
  if (!judge(dead, now, effects)) return true;  // its place has become free by the rule
  if (dead.client.liveness.status() != Status::Leave || dead_from(dead.client, rule_of(dead.client)) > now) {
    arm(dead, now);  // it was put in before it changed
    return true;
  }
  Event event = closing_of(dead.conn, dead.client, Reason::GivenUp, now);
  event.extra.edit().detail =
      describe_lacking(lacking, newcomer) + "; its place went to a client from " + to_string(newcomer);
  close(dead, std::move(event), effects);
  return true;
}

void Monitor::refuse_newcomer(Entry entry, Refusal lacking, MonoTime now, Effects& effects) {
  ++state_.counters.refused;
  ++state_.counters.refusals.at(static_cast<std::size_t>(lacking));
  Event event = closing_of(entry.conn, entry.client, Reason::Limit, now);
  event.extra.edit().detail = describe_lacking(lacking, entry.client.peer);
  close(entry, std::move(event), effects);
}

// Must be called whenever something changed that decides whether the client is dead, or from when on.
void Monitor::list_if_dead(Entry entry) {
  const Client& client = entry.client;
  if (client.liveness.status() != Status::Leave || client.is_newcomer) {
    return dead_.remove(entry.conn.slot, client.peer);
  }
  dead_.put(entry.conn.slot, client.peer, dead_from(client, rule_of(client)),
            state_.settings.bounds.max_clients_per_ip > 0);
}

// A client without an id is in leave for silence: another connection may have replaced it already.
void Monitor::find_replacement(Entry entry) noexcept {
  if (!may_be_replaced(entry.client)) return;
  const std::uint32_t slot = replacements_.candidate_for(entry.client);
  if (slot != Replacements::kNone) return replace(entry.client, entry_at(slot));
  list_as_silent(entry);
}

void Monitor::list_as_silent(Entry entry) noexcept {
  replacements_.add_silent(entry.conn.slot, entry.client);
  entry.client.is_listed = true;
}

// A connection without an id has been heard for the first time, or claims something else: it may have
// replaced a silent one.  That one is judged first, as its leave may have ended.
void Monitor::find_replaced(Entry entry, MonoTime now, Effects& effects) {
  for (;;) {
    const std::uint32_t slot = replacements_.silent_before(entry.client);
    if (slot == Replacements::kNone) break;
    const Entry silent = entry_at(slot);
    if (state_.sweep) bring_up_to_date(silent);
    if (!judge(silent, now, effects)) continue;
    is_no_longer_silent(silent);
    replace(silent.client, entry);
    count_for_brake(silent.client);
    return;
  }
  replacements_.add(entry.conn.slot, entry.client);
}

void Monitor::replace(Client& silent, Entry by) noexcept {
  replacements_.remove(by.conn.slot, by.client);
  by.client.has_replaced = true;
  silent.is_replaced = true;
  ++replaced_;
}

// It is about to be heard, has returned, or is gone: so it is neither silent nor replaced.
void Monitor::is_no_longer_silent(Entry entry) noexcept {
  Client& client = entry.client;
  if (std::exchange(client.is_replaced, false)) --replaced_;
  if (std::exchange(client.is_listed, false)) replacements_.remove_silent(entry.conn.slot, client);
}

// Whether it stands among the candidates of replacements_.
bool Monitor::may_replace(const Client& client) noexcept {
  return client.id.empty() && has_spoken(client) && !client.has_replaced;
}

bool Monitor::may_be_replaced(const Client& client) noexcept {
  return client.id.empty() && has_spoken(client) && ends_in_silence(client) && !client.is_replaced;
}

}  // namespace heartbeat
