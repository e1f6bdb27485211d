// Tells instants of the listening clock as people do, in date and time of day.
//
// A plain value that reads no clock: it is told, again and again, what both say at one moment.  Where the two
// have moved apart since (the daemon was stalled and the listening clock stood still, or somebody set
// people's clock) a step is noted, so that an instant is always told as people's clock told it then, and
// always told the same.
#pragma once

#include <chrono>
#include <deque>
#include <string>

#include "common/mono_time.h"

namespace heartbeat {

// Milliseconds since 1970, in UTC.
using WallTime = std::chrono::sys_time<Millis>;

class WallClock {
 public:
  // Both of this moment.
  WallClock(WallTime wall_now, MonoTime now) : steps_{{now, wall_now.time_since_epoch() - now.since_origin()}} {}

  // Both of a later moment.  Differences up to limits::kWallDriftMax are the grain of the readings.
  void agree(WallTime wall_now, MonoTime now);

  [[nodiscard]] WallTime at(MonoTime instant) const;

 private:
  struct Step {
    MonoTime from;
    Millis ahead;  // people's clock minus the listening clock, from then on
  };
  std::deque<Step> steps_;  // the oldest first, never empty; what was before the first is told by it
};

// `2026-11-22T09:55:14.570Z`
[[nodiscard]] std::string format_instant(WallTime at);

// `09:55:14 UTC`, and on another day than `today` `2026-11-21 09:55:14 UTC`.
[[nodiscard]] std::string format_for_sentence(WallTime at, WallTime today);

}  // namespace heartbeat
