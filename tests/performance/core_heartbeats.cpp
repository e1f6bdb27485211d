// Lets a thousand clients beat in the core, as often as its argument says: what test_instructions.py counts.
// With `kept` behind it each call is written to memory, as a daemon under systemd does.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tools/bench/core_run.h"

int main(int argc, char** argv) {
  using namespace heartbeat::bench;
  if (argc < 2 || argc > 3) return 64;
  const Calls calls = argc == 3 && std::string_view{argv[2]} == "kept" ? Calls::Kept : Calls::Made;
  const std::uint64_t heartbeats = std::strtoull(argv[1], nullptr, 10);
  return run_core(1'000, SlotOrder::Accepted, heartbeats, calls).heartbeats > 0 ? 0 : 1;
}
