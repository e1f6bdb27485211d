// The daemon itself as members of a JSON object: what `status` answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/endpoint.h"
#include "common/json_writer.h"
#include "daemon/core/accept_gate.h"
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

struct DaemonStatus {
  const Boot& boot;
  const Monitor& monitor;
  const Feed& feed;
  const Rate& heartbeats;
  const Histogram& loop_lateness;
  Millis pause_longest;  // that there may be now; 0 for none
  std::uint64_t pauses;  // since the start
  Millis paused;         // by all of them
  const AcceptGate& gate;
  const ProcessUsage& usage;
  std::vector<Endpoint> listening;
};

// Adds to the object that is open.
void add_status(JsonWriter& json, const DaemonStatus& status, const WallClock& clock, MonoTime now);

}  // namespace heartbeat
