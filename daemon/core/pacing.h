// How long the loop rests between two turns, so that a turn finds a good number of heartbeats at once.
//
// Taking heartbeats one by one costs a wake-up of the process each; taken some hundred at a turn they cost
// half of that or less (docs/performance.md).  So after a turn the loop does not poll at once where it is
// worth the while: it rests until about limits::kReadsPerTurn reads should be waiting, never longer than the
// longest pause.  It does not rest at all while connections arrive or an operator waits for an answer, nor
// where so few heartbeats come that nothing would be gained, and only briefly while clients wait for acks.
//
// Knows no clock: it is handed the instants.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "common/limits.h"
#include "common/mono_time.h"

namespace heartbeat {

using Nanos = std::chrono::nanoseconds;

// The longest pause there may be at this tick: a small part of it, and never more than `pause_max`.
[[nodiscard]] constexpr Millis longest_pause(Millis pause_max, Millis tick) {
  return std::min(pause_max, tick / limits::kPausesPerTick);
}

class Pacing {
 public:
  // 0: never rests.
  void set_longest(Nanos longest) { longest_ = longest; }

  // --- what happens in a turn ---
  void read() { ++reads_; }
  void answered() { ++answers_; }
  // A connection or a request came that a pause would keep waiting.
  void hurry(Nanos now) { hurry_until_ = now + limits::kPauseHoldOff; }

  // At the end of a turn: how long to rest before the next; 0 for not at all.
  [[nodiscard]] Nanos pause(Nanos now);
  // To be called when the loop goes on to its next poll, whether it rested or not.
  void resumed(Nanos now) { resumed_ = now; }

 private:
  void measure(Nanos now);

  Nanos longest_{0};
  Nanos hurry_until_{0};
  Nanos resumed_{0};
  // The present stretch of measuring, and what the one before it came to.
  Nanos measuring_since_{0};
  std::uint32_t reads_ = 0;
  std::uint32_t answers_ = 0;
  double reads_per_nano_ = 0;
  bool answers_given_ = false;
};

}  // namespace heartbeat
