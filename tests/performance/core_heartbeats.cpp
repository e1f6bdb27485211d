// Lets a thousand clients beat in the core, as often as its argument says: what test_instructions.py counts.
#include <cstdint>
#include <cstdlib>

#include "tools/bench/core_run.h"

int main(int argc, char** argv) {
  using namespace heartbeat::bench;
  if (argc != 2) return 64;
  const std::uint64_t heartbeats = std::strtoull(argv[1], nullptr, 10);
  return run_core(1'000, SlotOrder::Accepted, heartbeats).heartbeats > 0 ? 0 : 1;
}
