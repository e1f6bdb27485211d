// The whole fleet as docs/liveness.md and docs/protocol.md describe it: what must be reported, and sent to
// which client.
//
// Shares nothing with the monitor but the words.  It judges each client tick by tick (tick_by_tick.h), has no
// deadlines and no folding, and cuts frames from streams that it has whole; so what the two agree on was
// worked out twice.  Only the reading of JSON is the same (HeartbeatParser has tests and a fuzz target of its
// own).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/endpoint.h"
#include "common/message.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/event.h"
#include "daemon/core/monitor.h"
#include "tools/sim/virtual/tick_by_tick.h"

namespace heartbeat::sim {

// An event, as far as it is foretold.
struct Told {
  ConnId conn;
  Event::Kind kind;
  MonoTime at;
  std::optional<Reason> reason{};  // where the kind has one
  // The numbers at that instant, of a verdict that time alone brought.
  std::int64_t silence = 0;
  std::int64_t strikes = 0;
  std::int64_t steady = 0;

  friend bool operator==(const Told&, const Told&) = default;
};
[[nodiscard]] std::string to_string(const Told& told);

// A frame to a client: `ack 7 alive`, `welcome`, `status leave silent`.
struct Sent {
  ConnId conn;
  std::string words;

  friend bool operator==(const Sent&, const Sent&) = default;
};

// What has happened in all.
struct Tally {
  std::uint64_t connected = 0;
  std::uint64_t refused = 0;
  std::uint64_t heartbeats = 0;
  std::uint64_t joins = 0;
  std::uint64_t strikes = 0;
  std::uint64_t leaves = 0;
  std::uint64_t returns = 0;
  std::uint64_t takeovers = 0;
  std::uint64_t probes = 0;
  std::array<std::uint64_t, kReasonCount> closes{};

  friend bool operator==(const Tally&, const Tally&) = default;
};

class Oracle {
 public:
  struct Client {
    Client(const Rule& rule, const Endpoint& from, MonoTime now)
        : life(rule, now), peer(from), opened_at(now) {}

    TickByTick life;
    Endpoint peer;
    MonoTime opened_at;
    MonoTime frame_begun{};  // of what is unread
    std::string id{};
    std::string unread{};  // of its stream: an unfinished frame
    std::uint64_t heartbeats = 0;
    MonoTime planned = MonoTime::never();  // the earliest that it stands on the agenda for
    std::optional<MonoTime> listed{};      // among the silent leaves, with this end
    std::string group{};                   // empty: it is in none
    std::string named{};                   // the group that a heartbeat named
    Millis interval{0};                    // that it declared
    Reason leave_reason = Reason::Silent;
    bool away = false;
    bool joined = false;
    bool sent_bytes = false;
    bool notify = false;
  };

  explicit Oracle(Settings settings) : settings_(std::move(settings)) {}

  // Each is what happened to the daemon, with the instant that it counts for.  `now` never goes back, and no
  // two connected peers have one address.
  [[nodiscard]] bool may_open(const Endpoint& peer) const;
  void open(ConnId conn, const Endpoint& peer, MonoTime now);
  void refuse() { ++tally_.refused; }
  void receive(ConnId conn, std::string_view bytes, MonoTime now);
  void hear(ConnId conn, const Heartbeat& heartbeat, MonoTime now);  // a whole one, where none is unfinished
  void end(ConnId conn, Reason reason, MonoTime now);
  // The next instant at which the brake has something to decide.  Until then clients may be judged in any
  // order.
  [[nodiscard]] MonoTime next_brake() const;
  void advance(MonoTime now);
  bool kick(std::string_view name, MonoTime now);
  void change_settings(const Settings& settings, MonoTime now);
  void shut_down(MonoTime now);
  // How many of the silent ones that closed, or gave a new leave; nothing where the brake does not hold.
  std::optional<std::size_t> end_brake(BrakeEnd how, MonoTime now);
  void hold(const std::string& pattern, MonoTime until, MonoTime now);
  bool release(const std::string& pattern, MonoTime now);

  // What must have been reported and sent since the last call.
  [[nodiscard]] std::vector<Told> take_told() { return std::exchange(told_, {}); }
  [[nodiscard]] std::vector<Sent> take_sent() { return std::exchange(sent_, {}); }

  [[nodiscard]] const Tally& tally() const { return tally_; }
  struct HashConn {
    std::size_t operator()(ConnId conn) const { return std::size_t{conn.slot} * 31 + conn.generation; }
  };
  using Clients = std::unordered_map<ConnId, Client, HashConn>;
  [[nodiscard]] const Clients& clients() const { return clients_; }
  [[nodiscard]] const Client* find(ConnId conn) const;
  [[nodiscard]] std::size_t remembered() const { return closed_.size(); }
  [[nodiscard]] bool brake_holds() const { return holding_; }
  [[nodiscard]] std::uint64_t times_braked() const { return times_braked_; }

 private:
  struct Closed {
    std::uint64_t number;
    Status status;
    bool away;
  };

  // What ends a connection beside the rule: it does not speak, or not to the end.
  struct TimeLimit {
    MonoTime at = MonoTime::never();
    Reason reason = Reason::NeverSpoke;
  };
  [[nodiscard]] TimeLimit time_limit(const Client& client) const;

  // The brake on mass closing, as docs/liveness.md has it.
  [[nodiscard]] MonoTime next_instant() const;
  void look_at_brake(MonoTime at);
  [[nodiscard]] bool must_brake(MonoTime at) const;
  [[nodiscard]] static bool closes_in_silence(const Client& client);
  void let_go(MonoTime at);
  void delay_leaves();
  void delay(Client& client) const;
  void list(ConnId conn, Client& client);

  // Groups, what clients declare, and holds, as docs/configuration.md and docs/liveness.md have them.
  [[nodiscard]] std::string group_of(const Client& client) const;
  [[nodiscard]] const Group* find_group(const std::string& name) const;
  [[nodiscard]] Rule rule_of(const Client& client) const;
  [[nodiscard]] const Bounds& bounds_of(const Client& client) const;
  void declare(ConnId conn, Client& client, const Heartbeat& heartbeat, bool claims, MonoTime now);
  void fit_to_holds(Client& client, MonoTime now) const;

  bool judge(ConnId conn, Client& client, MonoTime now);
  bool judge_instant(ConnId conn, Client& client, MonoTime at);
  void plan(ConnId conn, Client& client);
  void enter_leave(ConnId conn, Client& client, const Told& told, bool away);
  void introduce(ConnId conn, Client& client, const Heartbeat& heartbeat, MonoTime now);
  void take_over(ConnId conn, Client& client, ConnId earlier_conn, MonoTime now);
  void close(ConnId conn, Reason reason, MonoTime now);
  void close(const Told& closed);
  void drop(ConnId conn, Reason reason);
  void remember(const std::string& name, const Client& client);
  [[nodiscard]] std::optional<ConnId> find_named(std::string_view name) const;
  [[nodiscard]] std::optional<Closed> take_closed(const std::string& name);
  void forget_beyond(std::size_t max);
  [[nodiscard]] std::vector<ConnId> connections() const;

  void tell(ConnId conn, Event::Kind kind, MonoTime at, std::optional<Reason> reason = {});
  void tell_status(ConnId conn, const Client& client, Status status, Reason reason);

  Settings settings_;
  Clients clients_;
  std::unordered_map<std::string, ConnId> by_id_;
  std::map<Endpoint, ConnId> by_address_;
  std::map<MonoTime, std::vector<ConnId>>
      agenda_;  // when which clients must be judged; may hold outdated entries
  std::set<std::pair<MonoTime, ConnId>> silent_;  // the clients in leave after silence, by when it ends
  std::map<std::string, MonoTime> holds_;         // the ends, by the patterns; also of holds that are over
  MonoTime bounds_since_{};                       // the timeouts that are in force end nothing before
  bool holding_ = false;
  MonoTime held_from_;
  MonoTime held_until_;
  MonoTime counted_from_;  // leaves that began before have had their brake
  MonoTime counted_from_at_hold_;
  std::uint64_t times_braked_ = 0;
  std::unordered_map<std::string, Closed> closed_;
  std::map<std::uint64_t, std::string> closed_in_order_;
  std::uint64_t closed_number_ = 0;
  HeartbeatParser parser_;
  Tally tally_;
  std::vector<Told> told_;
  std::vector<Sent> sent_;
};

}  // namespace heartbeat::sim
