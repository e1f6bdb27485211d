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

// Lets so many clients beat once a tick until there were about `heartbeats` of them in all, the rule judged
// at every instant that somebody was due.  One client in a hundred is silent after its first; throws Trouble
// where strikes and leaves are not to the last one those that the rule says.
[[nodiscard]] CoreFigures run_core(std::size_t clients, SlotOrder order, std::uint64_t heartbeats);

}  // namespace heartbeat::bench
