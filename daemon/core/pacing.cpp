#include "daemon/core/pacing.h"

#include <algorithm>

namespace heartbeat {

Nanos Pacing::pause(Nanos now) {
  measure(now);
  if (now < hurry_until_) return Nanos{0};

  const Nanos longest = answers_given_ ? std::min<Nanos>(longest_, limits::kAckLatencyMax) : longest_;
  const double expected = reads_per_nano_ * static_cast<double>(longest.count());
  if (expected < limits::kPauseWorthReads) return Nanos{0};

  // From one turn's beginning to the next: where the turn itself took that long, the loop is busy enough.
  const Nanos period{static_cast<Nanos::rep>(limits::kReadsPerTurn / reads_per_nano_)};
  const Nanos rest = std::min(period, longest) - (now - resumed_);
  return rest < limits::kPauseMin ? Nanos{0} : rest;
}

void Pacing::measure(Nanos now) {
  const Nanos length = now - measuring_since_;
  if (length < limits::kPaceEvery) return;
  reads_per_nano_ = static_cast<double>(reads_) / static_cast<double>(length.count());
  answers_given_ = answers_ > 0;
  reads_ = answers_ = 0;
  measuring_since_ = now;
}

}  // namespace heartbeat
