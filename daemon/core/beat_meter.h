// How many heartbeats of one connection stand above its rate: a bucket that each one fills and time empties.
//
// Knows no clock: the caller says how long ago the last heartbeat was.  4 bytes, as every client has one.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/limits.h"
#include "common/mono_time.h"

namespace heartbeat {

struct SavedFields;

class BeatMeter {
 public:
  // One more, `since` the last one.  `rate` is what is allowed in a second, not 0.
  void count(Millis since, unsigned rate) {
    const std::uint64_t emptied = static_cast<std::uint64_t>(since.count()) * rate;
    level_ = emptied < level_ ? level_ - static_cast<std::uint32_t>(emptied) : 0;
    // Where the rate was lowered meanwhile the level may be anything; it must not wrap.
    if (level_ < kLevelMax) level_ += kOne;
  }

  // Whether more came than the rate and its burst allow.
  [[nodiscard]] bool is_over(unsigned rate) const { return level_ > burst(rate); }

  // How long after the last one half of the burst is free again.
  [[nodiscard]] Millis until_half(unsigned rate) const {
    const std::uint32_t half = burst(rate) / 2;
    if (level_ <= half || rate == 0) return Millis{0};
    return Millis{(level_ - half + rate - 1) / rate};
  }

 private:
  friend struct SavedFields;  // saved_state.cpp lists the members that survive a restart

  static constexpr std::uint32_t kOne =
      1000;  // a rate in a second empties that much of each in a millisecond
  static constexpr std::uint32_t kLevelMax = 4'000'000'000;

  [[nodiscard]] static std::uint32_t burst(unsigned rate) {
    const std::uint64_t of_rate = static_cast<std::uint64_t>(limits::kBeatBurst.count()) * rate;
    const std::uint64_t least = std::uint64_t{limits::kBeatBurstMin} * kOne;
    return static_cast<std::uint32_t>(std::min(std::uint64_t{kLevelMax} / 2, std::max(of_rate, least)));
  }

  std::uint32_t level_ = 0;  // in thousandths of a heartbeat
};

}  // namespace heartbeat
