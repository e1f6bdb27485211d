// How much one call of the monitor may do, so that a million clients that are due at one instant neither
// stall the loop nor fill the memory with effects.
//
// A call stops at whichever bound it reaches first and is called again.  Events cost memory (about 300 bytes
// each with the frames and orders they bring), looks only time (0.1 to 0.5 µs each).
#pragma once

#include <cstddef>

#include "daemon/core/effects.h"

namespace heartbeat {

struct SliceSize {
  std::size_t clients = 4096;  // looked at in one call
  std::size_t events = 1024;   // reported by one call; the last client looked at may add a few
};

class Slice {
 public:
  Slice(const SliceSize& size, const Effects& effects)
      : effects_(effects), clients_left_(size.clients), events_end_(effects.events().size() + size.events) {}

  // Whether one more client may be looked at.  Counts it.
  [[nodiscard]] bool take() {
    if (clients_left_ == 0 || effects_.events().size() >= events_end_) return false;
    --clients_left_;
    return true;
  }

 private:
  const Effects& effects_;
  std::size_t clients_left_;
  std::size_t events_end_;
};

}  // namespace heartbeat
