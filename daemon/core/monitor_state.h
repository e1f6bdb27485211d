// All that the monitor knows and could not work out again: the part of it that must survive a restart of the
// daemon.
//
// A value without behaviour.  The monitor works on it in place, and a monitor made from it goes on as if
// nothing had happened: its deadlines, its counts of addresses and of clients in leave, and the brake's count
// of leaves are made anew from the clients (monitor_state.cpp).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "common/endpoint.h"
#include "common/keyed_hash.h"
#include "common/mono_time.h"
#include "daemon/core/brake_report.h"
#include "daemon/core/closed_clients.h"
#include "daemon/core/closing_brake.h"
#include "daemon/core/conditions.h"
#include "daemon/core/counters.h"
#include "daemon/core/drain.h"
#include "daemon/core/histogram.h"
#include "daemon/core/holds.h"
#include "daemon/core/margin_histogram.h"
#include "daemon/core/refused_peers.h"
#include "daemon/core/registry.h"
#include "daemon/core/settings.h"
#include "daemon/core/sweep.h"

namespace heartbeat {

// The daemon itself was not listening.
struct Stall {
  enum class Cause : std::uint8_t {
    Busy,       // it was stopped, starved of CPU or blocked
    Suspended,  // the whole machine was suspended
    Restarted,  // another process took its place
    Crashed,    // the same, because the process before had been killed or had crashed
  };

  MonoTime at;    // when it was noticed
  Millis length;  // beyond what the listening clock counted
  Cause cause = Cause::Busy;
};

struct MonitorState {
  // `key`: for the indices of names and addresses, so that peers cannot choose names that collide.  It is
  // the only member that does not survive a restart.
  explicit MonitorState(const Settings& in_force, const HashKey& hash_key = {})
      : settings(in_force),
        key(hash_key),
        clients(hash_key),
        closed(in_force.remember, hash_key),
        missing(0, hash_key),
        brake(in_force.brake, in_force.rule),
        refused(hash_key) {}

  Settings settings;  // in force
  HashKey key;
  Registry clients;
  ClosedClients closed;
  // Were connected when the daemon last ended, and have not come back: as they will be remembered once they
  // are absent, the earliest first.
  ClosedClients missing;
  ClosingBrake brake;
  std::shared_ptr<const BrakeReport> last_brake;  // of the last time that it held; null where it never did

  Counters counters;
  Histogram verdict_lateness;  // how long after its instant each verdict was given
  Histogram heartbeat_gaps;    // between two heartbeats of one connection
  MarginHistogram margins;     // what was left until leave, see Monitor::margins()
  RefusedPeers refused;        // connections that ended before a heartbeat
  Conditions conditions;       // that last
  std::deque<Stall> stalls;    // the oldest first, at most limits::kStallsMax

  Holds holds;                      // of operators, that last
  std::optional<Drain> drain;       // that lasts
  std::vector<Endpoint> listeners;  // by the numbers that clients have of them
  std::optional<Sweep> sweep;       // that is not complete
  std::uint64_t events_told = 0;    // the number of the last event
  std::uint64_t roster_version = 0;
  MonoTime now{};           // that the latest call counted for
  MonoTime bounds_since{};  // the timeouts of settings.bounds end nothing before
  std::uint8_t epoch = 0;   // of the settings: a client with another one has not had its turn in the sweep
};

}  // namespace heartbeat
