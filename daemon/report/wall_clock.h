// Translates instants of the listening clock into the wall clock's date and time of day.
//
// A plain value that reads no clock: in each turn of the loop it is given what both clocks say at one moment.
// Where the two have moved apart since the turn before, a step is recorded: the daemon was stalled and the
// listening clock stood still, or the wall clock was set.  So an instant is always given as the wall clock
// had it then, and always the same.  An instant that the listening clock passed over between two turns is
// taken to belong to the later one: a stall ends at the turn that noticed it.
#pragma once

#include <deque>
#include <utility>

#include "common/mono_time.h"
#include "common/wall_time.h"

namespace heartbeat {

class WallClock {
 public:
  // Both of this moment.
  WallClock(WallTime wall_now, MonoTime now)
      : steps_{{now, wall_now.time_since_epoch() - now.since_origin()}}, agreed_(now) {}

  // From `from` on, the wall clock was this much ahead of the listening clock.
  struct Step {
    MonoTime from;
    Millis ahead;
  };
  // What must survive a restart of the daemon: earlier instants keep their dates.  `steps`: the oldest first.
  struct State {
    std::deque<Step> steps;
    MonoTime agreed;  // the listening clock at the last agree()
  };
  [[nodiscard]] State state() const { return {steps_, agreed_}; }
  // `before` has at least one step.
  explicit WallClock(State before) : steps_(std::move(before.steps)), agreed_(before.agreed) {}

  // Both of a later moment; in each turn of the loop, for each instant that was given out in it.  Differences
  // up to limits::kWallDriftMax are the grain of the readings.
  void agree(WallTime wall_now, MonoTime now);

  [[nodiscard]] WallTime at(MonoTime instant) const;

 private:
  std::deque<Step> steps_;  // the oldest first, never empty; instants before the first are translated by it
  MonoTime agreed_;         // the listening clock at the last agree()
};

}  // namespace heartbeat
