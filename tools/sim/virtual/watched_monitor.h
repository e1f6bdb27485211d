// A monitor that is watched: each call of it is made on the oracle as well, and everything that the monitor
// reports, sends and counts is compared with what the oracle says.
//
// Knows no socket, clock or chance: the caller says what happens, and when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/effects.h"
#include "daemon/core/feed.h"
#include "daemon/core/monitor.h"
#include "daemon/core/turn.h"
#include "tools/sim/virtual/oracle.h"

namespace heartbeat::sim {

class WatchedMonitor {
 public:
  explicit WatchedMonitor(const Settings& settings, const SliceSize& slice = {})
      : monitor_(settings, {}, slice), oracle_(settings), slice_(slice) {}

  // Goes on with a monitor made from the state of this one, written as bytes and read again, as after a
  // restart of the daemon.  The oracle does not know of it.  Returns `turn`, which went the same way.
  Turn::State restart(const Turn::State& turn);
  void restart() { static_cast<void>(restart({})); }
  // The same between all slices of what is carried out in slices, from now on.
  void restart_between_slices(bool on) { restarts_between_slices_ = on; }

  // As those of Monitor.
  std::optional<ConnId> open(const Endpoint& peer, MonoTime now);
  void receive(ConnId conn, std::string_view bytes, MonoTime now);
  // One whole heartbeat, where no frame is unfinished.
  void beat(ConnId conn, const Heartbeat& heartbeat, MonoTime now);
  void disconnect(ConnId conn, Reason reason, MonoTime now);
  void advance(MonoTime now);
  void stalled(Millis length, MonoTime now);
  bool kick(std::string_view name, std::string_view message, MonoTime now);
  void place_hold(const std::string& pattern, Millis length, MonoTime now);
  void release(const std::string& pattern, MonoTime now);
  void change_settings(const Settings& settings, MonoTime now);
  void end_brake(BrakeEnd how, MonoTime now);
  void shut_down(MonoTime now);
  [[nodiscard]] MonoTime next_change(MonoTime horizon) { return monitor_.next_change(horizon); }

  // What the last call reported, and which connections it closed; valid until the next.
  [[nodiscard]] const std::vector<Event>& last_events() const { return effects_.events(); }
  [[nodiscard]] const std::vector<ConnId>& last_closed() const { return closed_; }
  void forget_last();

  // Looks at every single client.
  void sweep();

  // The promise that was broken first: a sentence, and what it was seen by.  Empty while all are kept.
  [[nodiscard]] const std::string& broken() const { return broken_; }

  [[nodiscard]] const Monitor& monitor() const { return monitor_; }
  [[nodiscard]] const Oracle& oracle() const { return oracle_; }
  [[nodiscard]] const Settings& settings() const { return monitor_.settings(); }
  [[nodiscard]] std::uint64_t events() const { return events_; }  // so far
  // Calls so far that left something due for the next one.
  [[nodiscard]] std::uint64_t slices() const { return slices_; }
  // Restarts so far.
  [[nodiscard]] std::uint64_t restarts() const { return restarts_; }

 private:
  MonoTime instant_for(MonoTime now);
  void carry_on(MonoTime now);
  void left_for_the_next_slice();

  // After each call: what came of it.
  void compare();
  void compare_events();
  void compare_orders();
  void compare_counters();
  void sweep_client(ConnId conn, const Oracle::Client& expected);

  void hold(bool kept, std::string_view promise) {
    if (!kept) break_promise(promise, {});
  }
  void break_promise(std::string_view promise, const std::string& seen);

  Monitor monitor_;
  Oracle oracle_;
  SliceSize slice_;
  Feed feed_;  // stays empty: it would take most of a restart's time
  Effects effects_;
  bool restarts_between_slices_ = false;
  MonoTime judged_up_to_;
  MonoTime counted_for_;  // the latest call
  std::vector<ConnId> closed_;
  std::string frame_;  // kept, so that a heartbeat costs no allocation
  std::uint64_t events_ = 0;
  std::uint64_t closes_ordered_ = 0;
  std::uint64_t stalls_ = 0;
  std::uint64_t slices_ = 0;
  std::uint64_t restarts_ = 0;
  std::string broken_;
};

}  // namespace heartbeat::sim
