#include "daemon/report/wall_clock.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/limits.h"

namespace heartbeat {

void WallClock::agree(WallTime wall_now, MonoTime now) {
  const Millis ahead = wall_now.time_since_epoch() - now.since_origin();
  const MonoTime from = std::min(std::exchange(agreed_, now) + Millis{1}, now);
  if (std::chrono::abs(ahead - steps_.back().ahead) <= limits::kWallDriftMax) return;
  if (steps_.size() == limits::kWallStepsMax) steps_.pop_front();
  steps_.push_back({from, ahead});
}

WallTime WallClock::at(MonoTime instant) const {
  const auto after = std::upper_bound(steps_.begin(), steps_.end(), instant,
                                      [](MonoTime of, const Step& step) { return of < step.from; });
  const Step& step = after == steps_.begin() ? *after : *std::prev(after);
  return WallTime{instant.since_origin() + step.ahead};
}

}  // namespace heartbeat
