// What the monitor has counted since the start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/bad_input.h"
#include "common/mono_time.h"
#include "daemon/core/reason.h"
#include "daemon/core/refusal.h"

namespace heartbeat {

// Invariant: connected == clients now + the sum of closes.
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
  std::uint64_t restarts = 0;  // that the clients stayed connected over
  Millis restarted{0};
  Millis worst_restart{0};
  std::uint64_t absences = 0;  // clients that did not come back after the daemon had ended
  std::uint64_t crashes = 0;   // restarts after a process that was killed or crashed
  std::array<std::uint64_t, kReasonCount> closes{};
  std::array<std::uint64_t, kBadInputCount> bad_input{};
};

// The connected clients by status.
struct StatusCounts {
  std::size_t alive = 0;
  std::size_t leave = 0;
  bool braked = false;  // closing for silence pauses

  friend bool operator==(const StatusCounts&, const StatusCounts&) = default;
};

}  // namespace heartbeat
