// The whole core behind one face: connections, bytes and instants go in, Effects come out.
//
// Knows no socket, clock or log.  Every call takes `now` on the listening clock (listening_clock.h), never
// earlier than that of the call before.
//
// No call is long, however many clients are due at one instant.  advance() judges a slice of them (slice.h)
// and returns true while more is due; the caller applies the effects and calls again.  An order that concerns
// every client (new settings, the end of a brake, the shutdown) takes effect at one instant and is carried
// out by advance() in the same way.  Calls that come between two slices count as of instant_for(now).
//
// Out of memory, a call throws std::bad_alloc.  open() has changed nothing then, and advance() can be called
// again.  Any other call may have taken effect in part, without its event; the caller must end the one
// connection that the call was about by disconnect() or, if memory lacks for that, too, by abandon().
// Counters, names and deadlines stay true in any case.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/endpoint.h"
#include "common/keyed_hash.h"
#include "common/message.h"
#include "common/mono_time.h"
#include "daemon/core/address_counts.h"
#include "daemon/core/arrival.h"
#include "daemon/core/brake_report.h"
#include "daemon/core/closed_clients.h"
#include "daemon/core/closing_brake.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/counters.h"
#include "daemon/core/credentials.h"
#include "daemon/core/dead_connections.h"
#include "daemon/core/deadlines.h"
#include "daemon/core/drain.h"
#include "daemon/core/effects.h"
#include "daemon/core/histogram.h"
#include "daemon/core/margin_histogram.h"
#include "daemon/core/monitor_state.h"
#include "daemon/core/reason.h"
#include "daemon/core/refusal.h"
#include "daemon/core/registry.h"
#include "daemon/core/replacements.h"
#include "daemon/core/rule.h"
#include "daemon/core/settings.h"
#include "daemon/core/slice.h"
#include "daemon/core/time_limit.h"

namespace heartbeat {

class Monitor {
 public:
  // A daemon that begins.  `key`: see MonitorState.
  explicit Monitor(const Settings& settings, const HashKey& key = {}, const SliceSize& slice = {})
      : Monitor(MonitorState{settings, key}, slice) {}

  // Goes on from where the monitor with this state was: each later call has the effects that it would have
  // had there, and orders that were being carried out go on.  Takes as long as looking at every client once.
  // Other settings than those of the state are put into force by change_settings() afterwards.
  explicit Monitor(MonitorState&& state, const SliceSize& slice = {});

  // The instant at which each client is looked at next, by slot; never() for a slot without a client.  It may
  // be earlier than necessary.  No verdict depends on it, but where a slice ends does, so a monitor that
  // repeats the calls of another (call_replay.h) must be armed as that one was.
  [[nodiscard]] std::vector<MonoTime> armed() const;
  void arm(const std::vector<MonoTime>& armed);

  // All that another monitor needs to go on from here.
  [[nodiscard]] const MonitorState& state() const { return state_; }
  [[nodiscard]] MonitorState take_state() && { return std::move(state_); }

  // The tokens of clients, which outlive the monitor or the change to others; null, as at the start: a token
  // is not looked at.
  void use(const Credentials* credentials) { credentials_ = credentials; }

  // A connection came in from this address.  Where clients_max are connected already, or too many from its
  // address, it is let in until its first heartbeat (monitor_room.cpp).  Returns nothing where newcomers_max
  // connections wait so already, or newcomers_per_address_max from its address: the caller must turn it away.
  //
  // Of a connection that was accepted earlier than now, hello_timeout runs from the accept, and its ticks are
  // cut as of the accept.  Ticks that have ended by now are not judged: what it sent meanwhile was not the
  // monitor's to hear, and no verdict may come before one that was given already.
  [[nodiscard]] std::optional<ConnId> open(const Endpoint& peer, MonoTime now, Effects& effects,
                                           const Arrival& arrival = {});

  // What the connection sent around its frames, before them or as records of TLS, is wrong: it is closed.
  // `what` is a sentence.
  void reject_preamble(ConnId conn, BadInput kind, const std::string& what, MonoTime now, Effects& effects);

  // Bytes came.  A connection that was closed meanwhile is ignored.
  void receive(ConnId conn, std::string_view bytes, MonoTime now, Effects& effects);

  // Memory lacked to open() this connection: it is turned away.
  void refuse_for_memory(const Endpoint& peer, MonoTime now, Effects& effects);

  // The connection ends from outside: PeerClosed, Reset, Shutdown where it cannot outlast a restart, or Limit
  // where the client does not read its answers or where, as the detail then says, memory lacked for it.
  void disconnect(ConnId conn, Reason reason, MonoTime now, Effects& effects, std::string_view detail = {});

  // The same as Limit where memory lacks even for that: counted, but neither reported nor remembered, and
  // without an order.  The caller must close the connection.
  void abandon(ConnId conn) noexcept;

  // Carries on with what concerns every client, then judges the clients that are due, one slice of both.
  // Returns whether more is due by `now`.  The caller must have received everything that arrived by `now`
  // first.
  [[nodiscard]] bool advance(MonoTime now, Effects& effects);

  // When advance() is next needed; never() while no client is connected, and no hold and no drain lasts.
  [[nodiscard]] MonoTime next_deadline() const {
    if (state_.sweep) return state_.sweep->at;
    const MonoTime verdict = std::min(deadlines_.next(), state_.brake.next());
    const MonoTime order = std::min(state_.holds.next(), next_drained());
    return std::min(std::min(verdict, order), next_absence());
  }

  // The earliest instant up to `horizon` at which something would change if nothing more were heard, or an
  // earlier one; later than `horizon` where nothing would.  Clients are armed lazily, and most are looked at
  // too early: clients that would be by then are armed anew, a slice of them.  advance() must have returned
  // false.
  [[nodiscard]] MonoTime next_change(MonoTime horizon);

  // Clients that were connected when the daemon last ended, which `last_heard` says.  Each is missing until
  // it comes back, or until it would be in leave had it fallen silent now: then it is absent, which is
  // reported and remembered as its close.  To be called once, before any client comes.
  void expect(std::vector<ClosedClient>&& clients, MonoTime now);

  // The instant that a call at `now` counts for.  Mostly `now` itself.  While something that concerns every
  // client is being carried out, it is the instant of that.  Where a brake decision is due, it is the last
  // instant before it: the brake compares all clients as they are at one moment, so none may be judged past
  // that moment out of turn.  Never earlier than that of the call before.
  [[nodiscard]] MonoTime instant_for(MonoTime now) const;

  // New settings, and all the memory that putting them into force takes.
  struct NewSettings {
    Settings settings;
    std::optional<ClosedClients> closed{};  // of another bound, still empty
    // Where they turn off a brake that holds: the brake without it, and the report of its end.
    std::optional<ClosingBrake> released{};
    std::shared_ptr<const BrakeReport> report{};
    std::optional<Event> brake_ended{};
    // The tokens from then on; those of now, unless the caller changes it.
    const Credentials* credentials = nullptr;
    // Clients are held against the tokens anew; a change of `credentials` does so, too.
    bool check_credentials = false;
  };

  // The first step to other settings, and the only one that can fail: nothing has changed then, but that
  // clients that were due by `now` were judged.  The caller should have brought advance(now) to its end.
  [[nodiscard]] NewSettings prepare(const Settings& settings, MonoTime now, Effects& effects);

  // Puts them into force.  A client whose token's line is gone, or is not for its id any more, is closed by
  // advance().  `now` and `effects` are those of prepare(); nothing was called since, and the
  // effects were not cleared.  No client is moved or dropped by the change, and a timeout that a shorter one
  // has overtaken ends now.  Each client's ticks get the new length and its counters stay
  // (Liveness::restart_tick()): advance() carries that out.
  void change_settings(NewSettings&& prepared, MonoTime now, Effects& effects) noexcept;

  // Both steps at once.  Out of memory, it throws and has changed nothing.
  void change_settings(const Settings& settings, MonoTime now, Effects& effects);

  // The daemon was not listening for this long beyond what the clock counted.
  void stalled(Millis length, MonoTime now, Effects& effects);

  // The machine was suspended for this long.  The listening clock stood still meanwhile.
  void suspended(Millis length, MonoTime now, Effects& effects);

  // Another process took the daemon's place.  The listening clock counts of the time what it counts of any
  // gap.
  struct Restart {
    std::string_view from_version{};
    std::string_view to_version{};
    Millis length{0};          // in which nothing was read
    bool after_crash = false;  // the process before was killed, or crashed
  };
  void restarted(const Restart& restart, MonoTime now, Effects& effects);

  // An operator ends the brake on mass closing: the clients that wait are closed now (Confirmed), or every
  // client that is in leave after silence gets a new leave period from now (Released).  advance() carries it
  // out. Returns how many clients that concerns, or nothing where the brake does not hold.
  std::optional<std::size_t> end_brake(BrakeEnd how, MonoTime now, Effects& effects);

  // An operator works on the clients whose names match the pattern: from now on they are held (holds.h), for
  // this long.  advance() carries it out.  Returns false where limits::kHoldsMax other holds last.
  struct HoldOrder {
    std::string_view pattern;  // a glob that compiles
    std::string_view why;
    Millis length{0};
    std::uint32_t uid = 0;
  };
  bool hold(const HoldOrder& order, MonoTime now, Effects& effects);
  // The hold of exactly this pattern ends now.  Returns whether there was one.
  bool release(std::string_view pattern, std::uint32_t uid, MonoTime now, Effects& effects);

  // An operator has the clients go elsewhere (drain.h); one drain that lasts goes on with this order.
  // advance() carries it out.
  void drain(const DrainOrder& order, MonoTime now, Effects& effects);
  // Ends the drain: clients stay from now on.  Returns how many were drained; nothing where none lasted.
  std::optional<std::uint64_t> end_drain(std::uint32_t uid, MonoTime now, Effects& effects);

  // Accepting pauses: connections came too fast, or the machine has no room for them.
  void accept_paused(std::string_view detail, MonoTime now, Effects& effects);
  // It is paused still.
  void accept_still_paused(MonoTime now) noexcept;

  // A reload was refused, for the reason that the sentence says; or, where that is empty, done.
  void reloaded(std::string_view refusal, MonoTime now, Effects& effects);

  // A file of TLS runs out soon, or has, as the sentence says; or, where that is empty, it was renewed, or is
  // not used any more.
  void certificate_expires(std::string_view file, std::string_view detail, MonoTime now, Effects& effects);

  // Reports the conditions that have ended, or last for an hour more.  Must be called about once a second.
  void review_conditions(MonoTime now, Effects& effects);

  // Changes Settings::report_heartbeats alone.
  void report_heartbeats(bool report) { state_.settings.report_heartbeats = report; }

  // An operator closes the client of that name; a client that asked for notices is sent the message, which
  // may be empty.  Returns whether there is such a client.
  bool kick(std::string_view name, std::string_view message, MonoTime now, Effects& effects);

  // The client of this connection has come to another daemon of the fleet.  Closes this connection and no
  // other; `detail` names the other daemon.  Returns whether the connection was there.
  bool supersede(ConnId conn, std::string_view detail, MonoTime now, Effects& effects);

  // The client of this connection was in leave at the daemon that it came from, so it starts here in leave,
  // as a comeback on one daemon does.  Returns whether it was there and alive.
  bool remember_leave(ConnId conn, MonoTime now, Effects& effects);

  // An operator has the daemon forget a closed client of that name: when it comes back, it is a new one.
  // Returns whether one was remembered.
  bool forget(std::string_view name) { return state_.closed.take(name).has_value(); }

  // Closes every client, one slice now; advance() closes the others.  Returns whether any is left.
  [[nodiscard]] bool shut_down(MonoTime now, Effects& effects);

  // The daemon's own stalls, the oldest first.
  [[nodiscard]] const std::deque<Stall>& stalls() const { return state_.stalls; }

  // How long after its instant each verdict was given.
  [[nodiscard]] const Histogram& verdict_lateness() const { return state_.verdict_lateness; }

  // The time between two heartbeats of one connection.
  [[nodiscard]] const Histogram& heartbeat_gaps() const { return state_.heartbeat_gaps; }

  // How much room was left until leave, at each heartbeat of an alive client and at each leave for silence.
  [[nodiscard]] const MarginHistogram& margins() const { return state_.margins; }

  [[nodiscard]] const ClosingBrake& brake() const { return state_.brake; }
  // Of the last time that the brake held; null where it never did.
  [[nodiscard]] const BrakeReport* last_brake() const { return state_.last_brake.get(); }

  // The holds that last.
  [[nodiscard]] const Holds& holds() const { return state_.holds; }

  // The drain that lasts; null: none.
  [[nodiscard]] const Drain* drain() const { return state_.drain ? &*state_.drain : nullptr; }

  [[nodiscard]] const Registry& clients() const { return state_.clients; }
  [[nodiscard]] const ClosedClients& closed_clients() const { return state_.closed; }
  // Clients that were connected when the daemon last ended and have not come back; closed_at is when each
  // will be absent, and last_heard when the daemon ended.
  [[nodiscard]] const ClosedClients& missing() const { return state_.missing; }
  // Connections that ended before a heartbeat, and what is wrong for as long as it lasts.
  [[nodiscard]] const RefusedPeers& refused_peers() const { return state_.refused; }
  [[nodiscard]] const Conditions& conditions() const { return state_.conditions; }
  [[nodiscard]] const Counters& counters() const { return state_.counters; }
  [[nodiscard]] StatusCounts status_counts() const {
    const std::size_t leave = away_ + silent_;
    return {.alive = state_.clients.size() - leave, .leave = leave, .braked = state_.brake.holds()};
  }
  // Of the clients of one group; of the clients in no group where the name is kDefaultGroup.
  [[nodiscard]] StatusCounts status_counts(std::string_view group) const;
  [[nodiscard]] const Settings& settings() const { return state_.settings; }

  // What holds for a client at this moment; its group, null where it is in none, and the group's name.
  // During a change of the settings its group and its rule are those from before until its turn.
  [[nodiscard]] const Rule& rule_of(const Client& client) const {
    if (client.terms != nullptr && client.terms->rule) [[unlikely]] {
      return *client.terms->rule;
    }
    if (awaits_settings(client)) [[unlikely]] {
      return state_.sweep->old_rule_of(client.group);
    }
    return state_.settings.rule_of(client.group);
  }
  [[nodiscard]] const Bounds& bounds_of(const Client& client) const {
    const Group* const group = group_of(client);
    return group == nullptr ? state_.settings.bounds : group->bounds;
  }
  // Both of them, for code that needs them more than once: valid until the client's group, what it declares
  // or the settings change.
  [[nodiscard]] InForce in_force(const Client& client) const {
    if (client.terms == nullptr && !state_.sweep) [[likely]] {
      const Group* const group = state_.settings.groups.find(client.group);
      if (group != nullptr) return {group->rule, group->bounds};
      return {state_.settings.rule, state_.settings.bounds};
    }
    return {rule_of(client), bounds_of(client)};
  }
  [[nodiscard]] const Group* group_of(const Client& client) const {
    if (awaits_settings(client)) [[unlikely]] {
      return state_.sweep->old_groups.find(client.group);
    }
    return state_.settings.groups.find(client.group);
  }
  [[nodiscard]] std::string_view group_name_of(const Client& client) const;

  // Changes whenever a list of the clients with their names and statuses would.
  [[nodiscard]] std::uint64_t roster_version() const { return state_.roster_version; }

 private:
  // A client, and where it is.
  struct Entry {
    ConnId conn;
    Client& client;
  };

  // A connection and what it sends (monitor.cpp).
  [[nodiscard]] Entry entry_at(std::uint32_t slot);
  void turn_away(const Endpoint& peer, Refusal refusal, std::string_view detail, MonoTime now,
                 Effects& effects);
  bool hear(Entry entry, const Heartbeat& heartbeat, MonoTime now, Effects& effects);
  void watch_spacing(Entry entry, Millis tick, MonoTime now, Effects& effects);
  void beats_slowly(Entry entry, Millis gap, Millis tick, MonoTime now, Effects& effects);
  void begin_frame(Entry entry, MonoTime now);
  void stop_reading(Entry entry, MonoTime now, Effects& effects);
  void go_on_reading(Entry entry, MonoTime now, Effects& effects);
  // What a client lacks for what it claims, and a sentence that says so.
  struct Lack {
    BadInput kind;
    std::string what;
  };
  bool is_authorized(Entry entry, const Heartbeat& heartbeat, MonoTime now, Effects& effects);
  void reject(Entry entry, BadInput kind, const std::string& what, MonoTime now, Effects& effects);
  void note_claims(Entry entry, const Heartbeat& heartbeat, bool first, MonoTime now, Effects& effects);
  void remember_stall(const Stall& stall);
  // The instant that this call counts for, see instant_for(): mostly `now` itself.
  MonoTime reach(MonoTime now) {
    const bool is_behind = next_deadline() <= now;
    return state_.now = is_behind ? instant_for(now) : now;
  }

  // Judging, and the end of a client (monitor_judging.cpp).
  // Makes every change that is due.  Returns whether the client is still there.
  bool judge(Entry entry, MonoTime now, Effects& effects) {
    return judge_until(entry, in_force(entry.client), now, now, effects);
  }
  // Only the changes that are due by then.
  bool judge_until(Entry entry, const InForce& terms, MonoTime until, MonoTime now, Effects& effects);
  bool judge_ticks(Entry entry, const Rule& rule, MonoTime until, MonoTime now, Effects& effects);
  void make(const Change& change, Entry entry, Event&& event, Effects& effects);
  void enter_leave(Entry entry, Reason reason, bool away, Event event, Effects& effects);
  void expire(Entry entry, Event&& closing, Effects& effects);
  void out_of_time(Entry entry, const TimeLimit& limit, MonoTime now, Effects& effects);
  void close(Entry entry, Event&& closing, Effects& effects);
  void drop(Entry entry, Reason reason, std::string_view detail, Effects& effects);
  void remove(Entry entry, Reason reason) noexcept;
  void count_leave(const Client& client, int by) noexcept;
  [[nodiscard]] MonoTime next_look(const Client& client, MonoTime now) const;
  void arm(Entry entry, MonoTime now);
  void arm_by(Entry entry, MonoTime at);
  void mark(Event& event) const;
  void tell(Event&& event, Effects& effects);

  // What the state does not hold (monitor_state.cpp).
  void derive(Entry entry);

  // What is wrong for a while (monitor_conditions.cpp).
  bool remember_refused(const Event& ended, Effects& effects);
  bool happened(Condition::Kind kind, std::string_view subject, Event&& event, MonoTime over,
                std::uint64_t times, Effects& effects);

  // Places at the bounds, and connections that were replaced (monitor_room.cpp).
  [[nodiscard]] std::optional<Refusal> lacking_for(const Endpoint& peer) const;
  [[nodiscard]] bool may_be_newcomer(const Endpoint& peer) const;
  [[nodiscard]] std::string describe_lacking(Refusal lacking, const Endpoint& peer) const;
  bool admit(Entry entry, const Heartbeat& heartbeat, MonoTime now, Effects& effects);
  bool takes_over(std::string_view id, MonoTime now, Effects& effects);
  bool give_up_for(const Endpoint& newcomer, Refusal lacking, MonoTime now, Effects& effects);
  void refuse_newcomer(Entry entry, Refusal lacking, MonoTime now, Effects& effects);
  void list_if_dead(Entry entry);
  void find_replacement(Entry entry) noexcept;
  void find_replaced(Entry entry, MonoTime now, Effects& effects);
  void list_as_silent(Entry entry) noexcept;
  void replace(Client& silent, Entry by) noexcept;
  void is_no_longer_silent(Entry entry) noexcept;
  [[nodiscard]] static bool may_replace(const Client& client) noexcept;
  [[nodiscard]] static bool may_be_replaced(const Client& client) noexcept;

  // The group of a client (monitor_group.cpp).
  [[nodiscard]] bool awaits_settings(const Client& client) const {
    return state_.sweep && client.epoch != state_.epoch;
  }
  struct Membership {
    GroupNumber group;
    GroupNumber named;
  };
  [[nodiscard]] GroupTraits traits_of(const Client& client) const;
  bool regroup(Entry entry, const Heartbeat& heartbeat, bool claims, MonoTime now);
  [[nodiscard]] GroupNumber match(Client& client, const Heartbeat& heartbeat) const;
  [[nodiscard]] Rule rule_in(GroupNumber group, const Client& client) const;
  void enter(Client& client, GroupNumber group, const Rule& rule) const noexcept;
  struct GroupCount {
    std::size_t clients = 0;
    std::size_t leave = 0;  // of these
  };
  using GroupCounts = std::array<GroupCount, limits::kGroupsMax + 1>;  // by the groups' numbers
  [[nodiscard]] GroupCount& count_of_group(const Client& client) noexcept {
    return (awaits_settings(client) ? former_group_counts_ : group_counts_).at(client.group);
  }
  void count_in_group(const Client& client, int by) noexcept;

  // What a client declares of itself beside its status (monitor_terms.cpp).
  void end_quiet(Client& client, MonoTime now) const;
  [[nodiscard]] static bool asks_for_terms(const Client& client, const Heartbeat& heartbeat);
  Millis be_quiet(Client& client, const Heartbeat& heartbeat, MonoTime now) const;
  [[nodiscard]] Membership membership_in_force(const Client& client) const;
  void end_slow_beats(const Settings& settings, MonoTime now) noexcept;

  // Holds of operators (monitor_hold.cpp).
  MonoTime begin_order(MonoTime now, Effects& effects);
  void end_first_hold(Effects& effects);
  void tell_hold(Event::Kind kind, const Hold& hold, Party by, MonoTime at, Effects& effects);
  void fit_to_holds(Client& client, MonoTime at);

  // A drain (monitor_drain.cpp).
  [[nodiscard]] MonoTime next_drained() const {
    return state_.drain ? state_.drain->next() : MonoTime::never();
  }
  void drain_next(MonoTime now, Effects& effects);
  void complete_drain(MonoTime now, Effects& effects);
  void send_elsewhere(Entry entry, const Heartbeat& heartbeat, MonoTime now, Effects& effects);
  void close_drained(Entry entry, MonoTime now, std::string_view detail, Effects& effects);

  // What concerns every client (monitor_sweep.cpp).
  bool sweep(Slice& slice, Effects& effects);
  void finish_sweep(Effects& effects);
  void visit(Entry entry, Effects& effects);
  void bring_up_to_date(Entry entry);
  void adopt(Entry entry);
  void close_revoked(Entry entry, Effects& effects);
  void renew_leave(Entry entry);
  [[nodiscard]] bool counts_address_of(const Client& client) const noexcept;

  // An id and what it brings with it (monitor_identity.cpp).
  [[nodiscard]] std::optional<Lack> take_token(Client& client, const Heartbeat& heartbeat) const;
  [[nodiscard]] std::optional<Lack> lacks_credential(const Client& client, std::string_view id) const;
  [[nodiscard]] std::optional<Lack> lacks_claim(const Client& client, std::string_view id) const;
  [[nodiscard]] bool proves(const Client& client, std::string_view id) const;
  [[nodiscard]] bool is_revoked(const Client& client) const;
  void introduce(Entry entry, std::string_view id, bool first, MonoTime now, Effects& effects);
  void take_over(Entry entry, Entry earlier, MonoTime now, Effects& effects);
  void welcome(Entry entry, Effects& effects) const;
  static void resume_history(Client& client, ClosedClient& closed);

  // Clients of before the start (monitor_missing.cpp).
  [[nodiscard]] MonoTime next_absence() const {
    const ClosedClient* const first = state_.missing.earliest();
    return first == nullptr ? MonoTime::never() : first->closed_at;
  }
  void report_absent(Effects& effects);
  [[nodiscard]] std::optional<ClosedClient> take_missing(std::string_view id);
  void resume(Entry entry, ClosedClient&& closed, MonoTime now, Effects& effects);

  // The brake on mass closing (monitor_brake.cpp).
  void advance_brake(Effects& effects);
  void tell_brake_taken(const BrakeReport& report, Effects& effects);
  void tell_brake_ended(MonoTime at, std::size_t held, Effects& effects);
  [[nodiscard]] std::shared_ptr<const BrakeReport> report_ended(const BrakeSpan& span,
                                                                std::size_t held) const;
  [[nodiscard]] static Event brake_ended(MonoTime at, const std::shared_ptr<const BrakeReport>& report);
  void count_for_brake(Client& client);
  void uncount_for_brake(Client& client) noexcept;
  [[nodiscard]] std::uint8_t number_of(const std::optional<Endpoint>& listener);

  MonitorState state_;

  // Made from the state, and made anew with it.
  SliceSize slice_size_;
  const Credentials* credentials_ = nullptr;
  Deadlines deadlines_;
  AddressCounts addresses_;  // empty while there is no bound on them
  AddressCounts newcomers_by_address_;
  DeadConnections dead_;
  Replacements replacements_;
  HeartbeatParser parser_;
  GroupCounts group_counts_{};
  GroupCounts former_group_counts_{};  // of the clients whose turn in the sweep to other groups has not come
  std::size_t away_ = 0;               // connected clients in a leave that they declared
  std::size_t newcomers_ = 0;          // connected over a bound, as in newcomers_by_address_
  std::size_t replaced_ = 0;           // connected clients that are replaced
  std::size_t silent_ = 0;             // connected clients in a leave that ends in a close for silence
};

}  // namespace heartbeat
