// The daemon's core alone, in virtual time: framing, JSON, the rule and its deadlines, but no socket.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tools/bench/machine.h"

namespace heartbeat::bench {

struct CoreFigures {
  std::uint64_t heartbeats = 0;
  Nanos cpu{0};
  double bytes_per_client = 0;  // of the allocator, with everything that it keeps for a client
};

// Where in memory the clients lie that beat one after another: in the order of their accepts, as in a fleet
// that has just been started, which the caches like; or anywhere, as after much coming and going.
enum class SlotOrder : std::uint8_t { Accepted, Shuffled };

// Whether each call is written to memory, as it is for the process that goes on after a crash.
enum class Calls : std::uint8_t { Made, Kept };

// Lets the clients beat once a tick until about `heartbeats` heartbeats were read, and judges at every
// instant at which a client is due.  One client in a hundred is silent after its first heartbeat.  Throws
// Trouble where strikes and leaves are not exactly those of the rule.
[[nodiscard]] CoreFigures run_core(std::size_t clients, SlotOrder order, std::uint64_t heartbeats,
                                   Calls calls = Calls::Made);

}  // namespace heartbeat::bench
