// A monitor and the peers that play with it: the language in which its tests are written.
//
//     Fleet fleet{{.rule = {.tick = 1s}}};
//     Peer pump = fleet.join(t0, "pump-7");
//     pump.beat(t0 + 999ms);
//     CHECK(fleet.told(t0 + 1s).empty());
//
// An event reads as its word, its client and its reason: `leave pump-7 silent`.  Checks by itself what must
// hold of all effects: nothing is sent to a connection after its close, no connection is closed twice, and
// the events' numbers have no gap.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/message.h"
#include "daemon/core/monitor.h"
#include "tests/unit/support/instants.h"

namespace heartbeat::test {

using Words = std::vector<std::string>;

class Fleet;

// One connection.  A handle, to be passed by value.
class Peer {
 public:
  Peer(Fleet& fleet, ConnId connection) : fleet_(&fleet), conn_(connection) {}

  void beat(MonoTime at) const { say(at, {}); }
  // A heartbeat with these members; an `ip` of its own where none is given.
  void say(MonoTime at, Heartbeat heartbeat) const;
  void send(MonoTime at, std::string_view bytes) const;
  void send_body(MonoTime at, std::string_view body) const;
  void disconnect(MonoTime at, Reason reason = Reason::PeerClosed) const;

  // The bodies of the frames that came since the last call.
  [[nodiscard]] Words received() const;
  // Whether the daemon reads it: it does, but for one that beats too fast.
  [[nodiscard]] bool is_read() const;
  // Whether the daemon has closed it.
  [[nodiscard]] bool was_closed() const;

  [[nodiscard]] ConnId conn() const { return conn_; }
  // What the monitor knows of it; it must be connected.
  [[nodiscard]] const Client& client() const;

 private:
  Fleet* fleet_;
  ConnId conn_;
};

class Fleet {
 public:
  explicit Fleet(const Settings& settings = {}) : monitor_(settings) {}

  // Where the next connections come from, one port after the other, from 40001 on: 10.0.0.1:40001.
  [[nodiscard]] static Endpoint peer_at(std::uint16_t port);

  // A connection that has said nothing yet; the monitor must take it.
  Peer connect(MonoTime at);
  // One that has, with this id or none.
  Peer join(MonoTime at, std::string_view id = {});
  // Whether one more connection would be taken, trying it.
  bool try_connect(MonoTime at);
  bool try_connect(MonoTime at, const Endpoint& from);

  // Judges every client that is due by then.
  void advance(MonoTime at);
  // Reports the conditions that are due by then.
  void review(MonoTime at);
  void accept_paused(std::string_view why, MonoTime at);
  void reloaded(std::string_view refusal, MonoTime at);
  // Clients of before the start, by name; each was alive.
  void expect(std::initializer_list<std::string_view> names, MonoTime ended, MonoTime at);
  void certificate_expires(std::string_view file, std::string_view detail, MonoTime at);
  void change(const Settings& settings, MonoTime at);
  bool kick(std::string_view name, std::string_view message, MonoTime at);
  void shut_down(MonoTime at);
  std::optional<std::size_t> end_brake(BrakeEnd how, MonoTime at);
  // The order alone, then what is carried out to its end.
  bool order_hold(const Monitor::HoldOrder& order, MonoTime at);
  bool hold(const Monitor::HoldOrder& order, MonoTime at);
  bool release(std::string_view pattern, MonoTime at);
  // The order alone.
  void order_drain(const DrainOrder& order, MonoTime at);
  std::optional<std::uint64_t> end_drain(MonoTime at);
  void change_settings(const Settings& settings, MonoTime at);

  // Goes on with a monitor made from the state of this one, as after a restart of the daemon.
  void restart();

  // What was reported since the last call.
  [[nodiscard]] Words told();
  // What happened at exactly this instant, after judging every client that is due by then.
  [[nodiscard]] Words told(MonoTime at);
  // The last event of this kind; there must have been one.
  [[nodiscard]] const Event& last(Event::Kind kind) const;

  [[nodiscard]] Monitor& monitor() { return monitor_; }
  [[nodiscard]] const Counters& counters() const { return monitor_.counters(); }
  [[nodiscard]] std::uint64_t closes(Reason reason) const {
    return counters().closes.at(static_cast<std::size_t>(reason));
  }

 private:
  friend class Peer;

  // Carries out what the monitor wants done.
  void apply();

  Monitor monitor_;
  Effects effects_;
  std::vector<Event> events_;
  std::size_t told_ = 0;           // of events_, how many
  std::uint64_t last_number_ = 0;  // of those
  std::map<ConnId, std::string> inboxes_;
  std::set<ConnId> closed_;
  std::set<ConnId> unread_;
  std::uint16_t next_port_ = 40001;
};

// `leave pump-7 silent`.
[[nodiscard]] std::string words(const Event& event);

}  // namespace heartbeat::test
