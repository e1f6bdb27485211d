// How many a second: the means of a running total over the last seconds.  Only whole seconds count.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "common/mono_time.h"

namespace heartbeat {

class Rate {
 public:
  static constexpr std::int64_t kSecondsMax = 60;

  // Takes the total as it stands at `now`; to be called at least a few times a second.
  void sample(std::uint64_t total, MonoTime now) {
    const std::int64_t second = now.since_origin().count() / 1000;
    if (!started_) {
      started_ = true;
      first_second_ = second_ = second;
      at_start_of(second) = total;
    }
    // Seconds that were not sampled in between began with what the total was then, as far as is known.
    for (second_ = std::max(second_, second - kSecondsMax - 1); second_ < second; ++second_) {
      at_start_of(second_ + 1) = total;
    }
  }

  // The mean over the last `seconds` (1 to kSecondsMax) whole ones, or over those since the start.
  [[nodiscard]] double over(std::int64_t seconds) const {
    const std::int64_t known = std::min(seconds, second_ - first_second_);
    if (known <= 0) return 0;
    const std::uint64_t beats = at_start_of(second_) - at_start_of(second_ - known);
    return static_cast<double>(beats) / static_cast<double>(known);
  }

 private:
  [[nodiscard]] std::uint64_t& at_start_of(std::int64_t second) {
    return totals_[static_cast<std::size_t>(second % (kSecondsMax + 1))];
  }
  [[nodiscard]] std::uint64_t at_start_of(std::int64_t second) const {
    return totals_[static_cast<std::size_t>(second % (kSecondsMax + 1))];
  }

  std::array<std::uint64_t, kSecondsMax + 1> totals_{};
  std::int64_t first_second_ = 0;
  std::int64_t second_ = 0;
  bool started_ = false;
};

}  // namespace heartbeat
