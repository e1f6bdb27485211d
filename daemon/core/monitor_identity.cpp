// Which client a connection belongs to, and what that brings with it: a new client, one whose id another
// connection had, or one that was closed and is remembered.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/text.h"
#include "daemon/core/monitor.h"
#include "daemon/core/wording.h"

namespace heartbeat {
namespace {

// One past the number at which a fight is reported; counting further would only overflow.
constexpr std::uint8_t kTakeoversCounted = limits::kFightTakeovers + 1;

// The client's status at this moment, for a client that has not been sent the change itself.
void append_standing(std::string& out, const Client& client) {
  const Status status = client.liveness.status();
  append_status(out, status, to_string(status == Status::Leave ? client.leave_reason : Reason::Steady));
}

// Whether a client that is connected or remembered proved its id, where that was required or by a token.
bool is_protected(const Passage* passage) {
  return passage != nullptr && (passage->require != Requirement::None || !passage->token.name.empty());
}

}  // namespace

// Closes a connection that lacks a credential, and returns false then.
bool Monitor::is_authorized(Entry entry, const Heartbeat& heartbeat, MonoTime now, Effects& effects) {
  auto lack = take_token(entry.client, heartbeat);
  if (!lack) lack = lacks_credential(entry.client, heartbeat.id);
  if (!lack) lack = lacks_claim(entry.client, heartbeat.id);
  if (!lack) return true;
  if (heartbeat.notify) entry.client.notify = true;
  reject(entry, lack->kind, lack->what, now, effects);
  return false;
}

// The token of the first heartbeat becomes the client's, also where none is required: it must be right then.
std::optional<Monitor::Lack> Monitor::take_token(Client& client, const Heartbeat& heartbeat) const {
  const bool is_required = client.passage != nullptr && client.passage->require == Requirement::Token;
  if (has_spoken(client) || !heartbeat.token || (credentials_ == nullptr && !is_required)) return {};
  const auto proof = credentials_ == nullptr ? std::nullopt : credentials_->find(*heartbeat.token);
  if (!proof) return Lack{BadInput::TokenWrong, "the token is none of those in the file of tokens (tokens)"};
  if (client.passage == nullptr) client.passage = std::make_unique<Passage>();
  client.passage->token = *proof;
  return {};
}

// What the listener requires, and the ids that the client's own credential is for.
std::optional<Monitor::Lack> Monitor::lacks_credential(const Client& client, std::string_view id) const {
  if (client.passage == nullptr) return {};
  const Passage& passage = *client.passage;
  if (passage.require == Requirement::Certificate) {
    if (passage.certificate_name.empty()) {
      return Lack{BadInput::CertificateMissing,
                  "a client at this listener must come with a verified certificate (require), and this "
                  "connection has none"};
    }
    if (!id.empty() && id != passage.certificate_name) {
      return Lack{BadInput::CertificateId, "the certificate is for the id \"" +
                                               escaped(passage.certificate_name) + "\", and not for \"" +
                                               escaped(id) + '"'};
    }
  }
  if (passage.token.name.empty()) {
    if (passage.require != Requirement::Token) return {};
    return Lack{
        BadInput::TokenMissing,
        "a client at this listener must give a token in its first heartbeat (require), and it gave none"};
  }
  if (proves(client, id) || (id.empty() && credentials_->may_use(passage.token, {}))) return {};
  return Lack{BadInput::TokenId,
              "the token \"" + escaped(passage.token.name) + "\" is not for the id \"" + escaped(id) + '"'};
}

// An id that a client has proved is that client's for as long as it is connected or remembered: a connection
// without a credential for it can neither take it over nor come back with it.
std::optional<Monitor::Lack> Monitor::lacks_claim(const Client& client, std::string_view id) const {
  if (id.empty() || proves(client, id)) return {};
  const auto slot = state_.clients.slot_of(id);
  const ClosedClient* const closed = slot ? nullptr : state_.closed.find(id);
  const Passage* const owner = slot                ? state_.clients.at(*slot)->passage.get()
                               : closed != nullptr ? closed->passage.get()
                                                   : nullptr;
  if (!is_protected(owner)) return {};
  const bool by_token = !owner->token.name.empty();
  return Lack{by_token ? BadInput::TokenId : BadInput::CertificateId,
              "the id \"" + escaped(id) + "\" belongs to a client that proved it by a " +
                  (by_token ? "token" : "certificate") + ", and this connection did not"};
}

// Whether the client has a credential for the id.
bool Monitor::proves(const Client& client, std::string_view id) const {
  if (client.passage == nullptr || id.empty()) return false;
  const Passage& passage = *client.passage;
  return passage.certificate_name == id ||
         (!passage.token.name.empty() && credentials_ != nullptr && credentials_->may_use(passage.token, id));
}

// Whether a client that came with a token has it no longer: its line is gone, or is not for its id any more.
bool Monitor::is_revoked(const Client& client) const {
  if (client.passage == nullptr || client.passage->token.name.empty()) return false;
  return credentials_ == nullptr || !credentials_->may_use(client.passage->token, client.id.view());
}

// The first heartbeat of a connection, or the first that gives an id.
void Monitor::introduce(Entry entry, std::string_view id, bool first, MonoTime now, Effects& effects) {
  if (id.empty()) {
    if (!first) return;
    ++state_.counters.joins;
    tell(event_of(Event::Kind::Joined, entry.conn, entry.client, now), effects);
    return;
  }

  if (const auto slot = state_.clients.slot_of(id)) {
    const Entry earlier = entry_at(*slot);
    if (state_.sweep) bring_up_to_date(earlier);
    if (judge(earlier, now, effects)) {
      take_over(entry, earlier, now, effects);
      return;
    }
  }
  std::string previous = name_of(entry.client);
  if (!first && may_replace(entry.client)) replacements_.remove(entry.conn.slot, entry.client);
  state_.clients.name(entry.conn.slot, id);
  fit_to_holds(entry.client, now);
  ++state_.roster_version;
  if (first) ++state_.counters.joins;
  Event event = event_of(first ? Event::Kind::Joined : Event::Kind::Named, entry.conn, entry.client, now);
  event.extra.edit().previous = std::move(previous);
  tell(std::move(event), effects);

  if (auto missing = take_missing(id)) resume(entry, std::move(*missing), now, effects);
  if (auto closed = state_.closed.take(id)) resume(entry, std::move(*closed), now, effects);
}

// The client is back: it goes on in the status that it had when it was closed.
void Monitor::resume(Entry entry, ClosedClient&& closed, MonoTime now, Effects& effects) {
  resume_history(entry.client, closed);
  if (closed.status != Status::Leave || entry.client.liveness.status() != Status::Alive) return;
  Event back = event_of(Event::Kind::Left, entry.conn, entry.client, now);
  entry.client.liveness.enter_leave(now);
  enter_leave(entry, Reason::Remembered, closed.away, std::move(back), effects);
}

bool Monitor::remember_leave(ConnId conn, MonoTime now, Effects& effects) {
  now = reach(now);
  Client* const client = state_.clients.find(conn);
  if (client == nullptr) return false;
  const Entry entry{conn, *client};
  if (state_.sweep) bring_up_to_date(entry);
  if (!judge(entry, now, effects) || client->liveness.status() != Status::Alive) return false;
  Event back = event_of(Event::Kind::Left, conn, *client, now);
  client->liveness.enter_leave(now);
  enter_leave(entry, Reason::Remembered, false, std::move(back), effects);
  arm(entry, now);
  return true;
}

void Monitor::take_over(Entry entry, Entry earlier, MonoTime now, Effects& effects) {
  Client& client = entry.client;
  const Client& old = earlier.client;
  const bool close_upon =
      old.takeovers > 0 && now - old.taken_over_at < rule_of(client).tick * rule_of(client).threshold;
  client.takeovers = close_upon ? std::min<std::uint8_t>(old.takeovers + 1, kTakeoversCounted) : 1;
  client.taken_over_at = now;
  const Status before = client.liveness.status();
  if (before == Status::Leave) count_leave(client, -1);
  uncount_for_brake(client);
  // The leave that is taken over lasts until the end of the hold, also where it would have ended before now.
  if (on_hold_until(old) > now) terms_of(client).on_hold_until = on_hold_until(old);
  client.liveness.take_over(old.liveness);
  if (rule_of(old) != rule_of(client)) client.liveness.fit_to(rule_of(client), now);
  client.away = old.away;
  if (client.liveness.status() == Status::Leave) count_leave(client, +1);
  client.heartbeats += old.heartbeats;
  client.nearest_to_leave = std::max(client.nearest_to_leave, old.nearest_to_leave);
  client.declared = old.declared;
  client.leave_reason = old.leave_reason;
  note(earlier.client, {.at = now, .peer = client.peer, .kind = Moment::Kind::TakenOver});
  client.history = std::move(earlier.client.history);

  const Endpoint previous_peer = old.peer;
  const std::string id{old.id.view()};
  drop(earlier, Reason::Superseded, "another connection, from " + to_string(client.peer) + ", gave this id",
       effects);
  if (may_replace(client)) replacements_.remove(entry.conn.slot, client);
  state_.clients.name(entry.conn.slot, id);
  fit_to_holds(client, now);
  ++state_.counters.takeovers;
  arm(entry, now);
  if (client.notify && client.liveness.status() != before) {
    effects.send(entry.conn, [&](std::string& out) { append_standing(out, client); });
  }

  Event event = event_of(Event::Kind::TakenOver, entry.conn, entry.client, now);
  event.extra.edit().previous_peer = previous_peer;
  event.extra.edit().takeovers = client.takeovers;
  tell(Event{event}, effects);
  const bool is_known = state_.conditions.lasts(Condition::Kind::Fight, id, now);
  if (client.takeovers < limits::kFightTakeovers && !is_known) return;
  event.kind = Event::Kind::Fight;
  event.extra.edit().detail = "connections from " + to_string(client.peer) + " and " +
                              to_string(previous_peer) +
                              " take this id from each other; give each program its own";
  happened(Condition::Kind::Fight, id, std::move(event), now + kConditionQuiet,
           is_known ? 1 : client.takeovers, effects);
}

void Monitor::welcome(Entry entry, Effects& effects) const {
  const Rule& rule = rule_of(entry.client);
  effects.send(entry.conn, [&](std::string& out) {
    append_welcome(out, {.tick = rule.tick,
                         .threshold = rule.threshold,
                         .cursor = rule.cursor,
                         .recover = rule.recover,
                         .leave_timeout = rule.leave_timeout,
                         .frame_max = state_.settings.frame_max});
    if (entry.client.liveness.status() == Status::Leave) append_standing(out, entry.client);
  });
}

// The client is back: its history goes on where its last connection ended.
void Monitor::resume_history(Client& client, ClosedClient& closed) {
  std::unique_ptr<History> history = std::move(closed.history);
  if (history == nullptr) {
    history = std::make_unique<History>();
    history->add({.at = closed.connected_at, .peer = closed.peer, .kind = Moment::Kind::Connected});
  }
  history->add({.at = closed.closed_at, .kind = Moment::Kind::Closed, .reason = closed.reason});
  history->add({.at = client.connected_at, .peer = client.peer, .kind = Moment::Kind::Connected});
  client.history = std::move(history);
}

}  // namespace heartbeat
