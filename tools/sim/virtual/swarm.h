// Runs one world after another, each from a seed of its own, and says what came of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/sim/virtual/world.h"

namespace heartbeat::sim {

struct Swarm {
  std::uint64_t first_seed = 0;
  std::size_t seeds = 1;
  std::size_t clients = 100;
  Millis duration{0};  // of each, in virtual time
  std::vector<ClientKind> kinds{};
};

// Prints a table to standard output, and each broken promise with what brings it back to standard error.
// Returns how many seeds broke one.
[[nodiscard]] std::size_t run_swarm(const Swarm& swarm);

}  // namespace heartbeat::sim
