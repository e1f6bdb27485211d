// Tells instants of the listening clock as people do, in date and time of day.
//
// A plain value that reads no clock: it is told, again and again, what both say at one moment.  Where the two
// have moved apart since (the daemon was stalled and the listening clock stood still, or somebody set
// people's clock) a step is noted, so that an instant is always told as people's clock told it then, and
// always told the same.
#pragma once

#include <deque>

#include "common/mono_time.h"
#include "common/wall_time.h"

namespace heartbeat {

class WallClock {
 public:
  // Both of this moment.
  WallClock(WallTime wall_now, MonoTime now)
      : steps_{{now, wall_now.time_since_epoch() - now.since_origin()}} {}

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

}  // namespace heartbeat
