// The daemon itself as members of a JSON object: what `status` answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/endpoint.h"
#include "common/json_writer.h"
#include "daemon/core/feed.h"
#include "daemon/core/histogram.h"
#include "daemon/core/monitor.h"
#include "daemon/report/rate.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

// One run of the daemon.
struct Boot {
  std::string id;  // 32 hex digits
  std::int32_t pid;
  WallTime started;
};

// What the process holds of the machine at this moment.
struct ProcessUsage {
  std::uint64_t memory_bytes;  // resident
  double processor_seconds;    // since the start
  std::size_t descriptors_used;
  std::size_t descriptors_limit;
};

// The sockets at which the daemon accepts connections.
struct Doors {
  // The bound on how fast clients are accepted (accept_rate).
  struct Gate {
    bool is_paused = false;
    std::uint64_t pauses = 0;
    Millis paused{0};   // the length of all pauses that are over
    unsigned rate = 0;  // connections a second; 0 for no bound
  };
  // How often a connection could not be accepted, for want of a descriptor or of memory.  It waits, and each
  // further try counts.
  struct Shortages {
    std::uint64_t clients = 0;
    std::uint64_t control = 0;
    std::uint64_t http = 0;
  };
  // The control socket at its bound on sessions.
  struct Control {
    std::size_t sessions = 0;
    std::uint64_t displaced = 0;  // sessions that were closed to make room for a new one
    std::uint64_t refused = 0;    // connections that were turned away
  };
  Gate gate;
  Shortages shortages;
  Control control;
};

struct DaemonStatus {
  const Boot& boot;
  const Monitor& monitor;
  const Feed& feed;
  const Rate& heartbeats;
  const Histogram& loop_lateness;
  Millis pause_longest;  // that there may be now; 0 for none
  std::uint64_t pauses;  // since the start
  Millis paused;         // by all of them
  Doors doors;
  const ProcessUsage& usage;
  std::vector<Endpoint> listening;
};

// Adds to the object that is open.
void add_status(JsonWriter& json, const DaemonStatus& status, const WallClock& clock, MonoTime now);

}  // namespace heartbeat
