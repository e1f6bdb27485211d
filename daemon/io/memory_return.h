// Gives the memory of a burst of clients back to the machine when they are gone.
//
// The allocator keeps what it was given: free blocks stay with the process where anything that is still held,
// a remembered client, lies behind them.  Looking for them takes a few milliseconds, so it is done once after
// a burst and not at each close.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "common/limits.h"
#include "common/mono_time.h"

namespace heartbeat {

class MemoryReturn {
 public:
  // To be called at each turn of the loop.  Whether now is the time to give back: clients were many, at least
  // half of them are gone, and no more have gone since the last look, limits::kMemoryReturnEvery ago: what is
  // given back while they go would leave the rest behind.
  [[nodiscard]] bool is_due(std::size_t clients, MonoTime now) {
    peak_ = std::max(peak_, clients);
    if (now - looked_at_ < limits::kMemoryReturnEvery) return false;
    looked_at_ = now;
    const bool are_going = std::exchange(clients_, clients) > clients;
    const bool due = !are_going && peak_ >= limits::kBurstMin && 2 * clients <= peak_;
    if (due) peak_ = clients;
    return due;
  }

 private:
  std::size_t peak_ = 0;
  std::size_t clients_ = 0;  // at the last look
  MonoTime looked_at_;
};

// Does it, where the C library can.
void give_memory_back();

}  // namespace heartbeat
