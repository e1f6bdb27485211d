// The whole core behind one face: connections, bytes and instants go in, Effects come out.
//
// Knows no socket, clock or log.  Every call takes `now` on the listening clock (listening_clock.h), never
// earlier than that of the call before.
//
// Where there is no memory a call throws std::bad_alloc.  open() has changed nothing then.  Of any other call
// a part is done, and may be untold; the one connection that it was about is to be ended by disconnect() or,
// if there is no memory for that either, by abandon().  What is counted and found stays true in any case
// (counters, names, instants at which somebody is looked at).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "common/bad_input.h"
#include "common/endpoint.h"
#include "common/keyed_hash.h"
#include "common/limits.h"
#include "common/message.h"
#include "common/mono_time.h"
#include "daemon/core/address_counts.h"
#include "daemon/core/bounds.h"
#include "daemon/core/brake_report.h"
#include "daemon/core/closed_clients.h"
#include "daemon/core/closing_brake.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/deadlines.h"
#include "daemon/core/effects.h"
#include "daemon/core/histogram.h"
#include "daemon/core/margin_histogram.h"
#include "daemon/core/reason.h"
#include "daemon/core/registry.h"
#include "daemon/core/rule.h"

namespace heartbeat {

struct Settings {
  Rule rule{};
  std::size_t clients_max = limits::kClientsDefault;
  std::size_t frame_max = limits::kFrameMax;  // bytes of a body
  std::size_t remember = limits::kRememberDefault;
  ClosingBrake::Settings brake{};
  bool report_heartbeats = false;  // an event for each: for the debug mode
  Bounds bounds{};
};

// Why a connection was turned away before it was a client: by which setting, or for what was lacking.
enum class Refusal : std::uint8_t { MaxClients, MaxClientsPerIp, OutOfMemory };
inline constexpr std::size_t kRefusalCount = 3;
[[nodiscard]] std::string_view to_string(Refusal refusal);

// Totals since the start.  connected == clients now + the sum of closes.
struct Counters {
  std::uint64_t connected = 0;
  std::uint64_t refused = 0;
  std::array<std::uint64_t, kRefusalCount> refusals{};  // the same by their cause
  std::uint64_t heartbeats = 0;
  std::uint64_t joins = 0;
  std::uint64_t strikes = 0;
  std::uint64_t leaves = 0;
  std::uint64_t returns = 0;
  std::uint64_t takeovers = 0;
  std::uint64_t probes = 0;   // connections that ended without having brought a byte
  std::uint64_t limited = 0;  // connections that beat too fast and are read slower
  std::uint64_t stalls = 0;
  Millis stalled{0};
  Millis worst_stall{0};
  std::uint64_t suspensions = 0;
  Millis suspended{0};
  std::array<std::uint64_t, kReasonCount> closes{};
  std::array<std::uint64_t, kBadInputCount> bad_input{};
};

// The connected clients by status; those in neither do not exist.
struct StatusCounts {
  std::size_t alive = 0;
  std::size_t leave = 0;
  bool braked = false;  // closing for silence pauses

  friend bool operator==(const StatusCounts&, const StatusCounts&) = default;
};

class Monitor {
 public:
  // The key is for the indices of what peers choose, so that they cannot choose what crowds one place.
  explicit Monitor(const Settings& settings, const HashKey& key = {})
      : settings_(settings),
        registry_(key),
        closed_(settings.remember, key),
        addresses_(key),
        brake_(settings.brake, settings.rule) {}

  // A connection was accepted, where it is known at this listener.  Nothing when there are clients_max
  // already, or too many from its address: it is to be turned away.
  [[nodiscard]] std::optional<ConnId> open(const Endpoint& peer, MonoTime now, Effects& effects,
                                           const std::optional<Endpoint>& listener = {});

  // Bytes came.  A connection that was closed meanwhile is ignored.
  void receive(ConnId conn, std::string_view bytes, MonoTime now, Effects& effects);

  // There was no memory to open() this connection: it is turned away.
  void refuse_for_memory(const Endpoint& peer, MonoTime now, Effects& effects);

  // The connection ended from outside: PeerClosed, Reset, or Limit where it does not read its answers or, as
  // the detail says then, there was no memory for it.
  void disconnect(ConnId conn, Reason reason, MonoTime now, Effects& effects, std::string_view detail = {});

  // The same as Limit where there is no memory even for that: it is counted, and neither told nor remembered,
  // and nothing is ordered.  Whoever owns the connection is to close it.
  void abandon(ConnId conn) noexcept;

  // Judges everybody who is due.  To be called when what had arrived by `now` has been received.
  void advance(MonoTime now, Effects& effects);

  // Goes on with these settings; nobody is moved or dropped by the change, and a timeout that a shorter one
  // has overtaken ends now.  Where the rule is another, those
  // who are due are judged by the old one first, as by advance(), which is to be called in the same state;
  // then each client's present tick starts anew, and its counters stay (Liveness::restart_tick()).
  void change_settings(const Settings& settings, MonoTime now, Effects& effects);

  // When advance() is next needed; never() while nobody is connected.
  [[nodiscard]] MonoTime next_deadline() const { return std::min(deadlines_.next(), brake_.next()); }

  // The earliest instant up to `horizon` at which something would really change if nothing more were heard;
  // later than it where there is none.  Clients are armed lazily and mostly looked at too early: those who
  // would be by then are armed anew.  Everybody due has been judged.
  [[nodiscard]] MonoTime next_change(MonoTime horizon);

  // The daemon was not listening for this long beyond what the clock counted.
  void stalled(Millis length, MonoTime now, Effects& effects);

  // The machine was suspended for this long.  The listening clock stood still meanwhile.
  void suspended(Millis length, MonoTime now, Effects& effects);

  // An operator ends the brake on mass closing: those that wait are closed now (Confirmed), or everybody who
  // is in leave after silence gets a new leave period from now (Released).  Returns how many, or nothing
  // where the brake does not hold.
  std::optional<std::size_t> end_brake(BrakeEnd how, MonoTime now, Effects& effects);
  // For now no more connections are taken: they came too fast, or the machine has no room for them.
  void accept_paused(std::string_view detail, MonoTime now, Effects& effects);

  // Changes Settings::report_heartbeats alone.
  void report_heartbeats(bool report) { settings_.report_heartbeats = report; }

  // An operator closes the client of that name; one that asked for notices is told the message, which may be
  // empty.  Returns whether there is such a client.
  bool kick(std::string_view name, std::string_view message, MonoTime now, Effects& effects);

  // Closes everybody.
  void shut_down(MonoTime now, Effects& effects);

  // The daemon's own stalls, the oldest first: when it was noticed, and how long beyond what the clock
  // counted.
  struct Stall {
    MonoTime at;
    Millis length;
    bool suspended = false;  // the whole machine was
  };
  [[nodiscard]] const std::deque<Stall>& stalls() const { return stalls_; }

  // How long after its instant each verdict was given.
  [[nodiscard]] const Histogram& verdict_lateness() const { return verdict_lateness_; }

  // Between heartbeats of one connection, how long it was.
  [[nodiscard]] const Histogram& heartbeat_gaps() const { return heartbeat_gaps_; }

  // How much room was left until a strike, at each heartbeat of an alive client and at each strike.
  [[nodiscard]] const MarginHistogram& margins() const { return margins_; }

  [[nodiscard]] const ClosingBrake& brake() const { return brake_; }
  // Of the last time that the brake held; null where it never did.
  [[nodiscard]] const BrakeReport* last_brake() const { return last_brake_.get(); }

  [[nodiscard]] const Registry& clients() const { return registry_; }
  [[nodiscard]] const ClosedClients& closed_clients() const { return closed_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] StatusCounts status_counts() const {
    return {.alive = registry_.size() - in_leave_, .leave = in_leave_, .braked = brake_.holds()};
  }
  [[nodiscard]] const Settings& settings() const { return settings_; }

  // Changes whenever a list of the clients with their names and statuses would.
  [[nodiscard]] std::uint64_t roster_version() const { return roster_version_; }

 private:
  // A client, and where it is.
  struct Entry {
    ConnId conn;
    Client& client;
  };

  [[nodiscard]] Entry entry_at(std::uint32_t slot);

  // What ends a connection beside the rule, and when; never() where nothing does.
  struct TimeLimit {
    MonoTime at;
    Reason reason;
  };
  [[nodiscard]] TimeLimit time_limit(const Client& client, MonoTime now) const;
  [[nodiscard]] MonoTime next_look(const Client& client, MonoTime now) const;
  [[nodiscard]] MonoTime held_until(const Client& client) const;
  void arm_by(Entry entry, MonoTime at);

  bool is_refused(const Endpoint& peer, MonoTime now, Effects& effects);
  void turn_away(const Endpoint& peer, Refusal refusal, std::string_view detail, MonoTime now,
                 Effects& effects);
  void count_addresses();
  bool judge_ticks(Entry entry, MonoTime until, MonoTime now, Effects& effects);
  void make(const Change& change, Entry entry, Event&& event, Effects& effects);
  void expire(Entry entry, Event&& closing, Effects& effects);
  void out_of_time(Entry entry, const TimeLimit& limit, MonoTime now, Effects& effects);
  void begin_frame(Entry entry, MonoTime now);
  void hold(Entry entry, MonoTime now, Effects& effects);
  void release(Entry entry, MonoTime now, Effects& effects);

  // Applies a checked heartbeat.  Returns whether the client is still there.
  bool hear(Entry entry, const Heartbeat& heartbeat, MonoTime now, Effects& effects);
  // Makes every change that is due.  Returns whether the client is still there.
  bool judge(Entry entry, MonoTime now, Effects& effects) { return judge_until(entry, now, now, effects); }
  // Only those that are due by then.
  bool judge_until(Entry entry, MonoTime until, MonoTime now, Effects& effects);

  // The brake looks at everybody at once, and so judges everybody in the order of time before one is judged
  // out of turn.
  void catch_up(MonoTime now, Effects& effects);

  // The steps of hear().
  void watch_spacing(Entry entry, MonoTime now, Effects& effects);
  void introduce(Entry entry, std::string_view id, bool first, MonoTime now, Effects& effects);
  void take_over(Entry entry, Entry earlier, MonoTime now, Effects& effects);
  void welcome(Entry entry, Effects& effects) const;

  void restart_ticks(const Rule& rule, MonoTime now, Effects& effects);
  void restart_brake(MonoTime now, Effects& effects);
  void remember_stall(const Stall& stall);
  void arm_everybody(MonoTime now);

  void enter_leave(Entry entry, Reason reason, bool away, Event event, Effects& effects);
  void reject(Entry entry, BadInput kind, const std::string& what, MonoTime now, Effects& effects);
  void close(Entry entry, Event&& closing, Effects& effects);
  void drop(Entry entry, Reason reason, std::string_view detail, Effects& effects);
  void remove(Entry entry, Reason reason) noexcept;
  void arm(Entry entry, MonoTime now);

  // The brake on mass closing: monitor_brake.cpp.
  void advance_brake(Effects& effects);
  void tell_brake_taken(Effects& effects);
  void tell_brake_ended(MonoTime at, std::size_t held, Effects& effects);
  void close_waiting(MonoTime now, Effects& effects);
  std::size_t renew_leaves(MonoTime now);
  [[nodiscard]] std::size_t count_waiting(MonoTime now) const;
  [[nodiscard]] BrakeReport report_concerned() const;
  void count_for_brake(Client& client);
  void uncount_for_brake(Client& client);
  [[nodiscard]] std::uint8_t number_of(const std::optional<Endpoint>& listener);

  void tell(Event&& event, Effects& effects);
  static void note(Client& client, const Moment& moment);
  static void resume_history(Client& client, ClosedClient& closed);
  void note_gap(Client& client, bool first, MonoTime now) const;

  [[nodiscard]] static Event event_of(Event::Kind kind, Entry entry, MonoTime at);
  [[nodiscard]] static Event event_of(const Change& change, Entry entry);
  [[nodiscard]] static Event closing(Entry entry, Reason reason, Party by, MonoTime at);

  Settings settings_;
  Registry registry_;
  ClosedClients closed_;
  Deadlines deadlines_;
  AddressCounts addresses_;  // empty while there is no bound on them
  HeartbeatParser parser_;
  Counters counters_;
  Histogram verdict_lateness_;
  Histogram heartbeat_gaps_;
  MarginHistogram margins_;
  std::deque<Stall> stalls_;
  ClosingBrake brake_;
  std::shared_ptr<const BrakeReport> last_brake_;
  std::vector<Endpoint> listeners_;  // by the numbers that clients have of them
  std::uint64_t events_told_ = 0;
  std::size_t in_leave_ = 0;  // of the connected clients
  std::uint64_t roster_version_ = 0;
  MonoTime bounds_since_{};  // the timeouts of these bounds end nothing before
  bool told_of_slow_beats_ = false;
};

}  // namespace heartbeat
