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

// In which order the clients beat in each tick: that of their accepts, which the caches like, or one that
// looks like chance, which is what a fleet does.
enum class BeatOrder : std::uint8_t { Accepted, Shuffled };

// Lets so many clients beat once a tick until there were about `heartbeats` of them in all, the rule judged
// at every instant that somebody was due.  One client in a hundred is silent from the second tick on; throws
// Trouble where strikes and leaves are not to the last one those that the rule says.
[[nodiscard]] CoreFigures run_core(std::size_t clients, BeatOrder order, std::uint64_t heartbeats);

}  // namespace heartbeat::bench
