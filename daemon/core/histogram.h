// How often which length of time was seen: for lateness, gaps and the like.
//
// Exact below 16 ms, within a sixteenth above; a fixed 2.4 KiB, and an addition is a few instructions.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "common/mono_time.h"

namespace heartbeat {

struct SavedFields;

class Histogram {
 public:
  // Lengths below zero count as zero, those beyond the last bucket (9 hours) as that.
  void add(Millis length) {
    const auto millis = static_cast<std::uint64_t>(std::max<std::int64_t>(0, length.count()));
    ++counts_[std::min(bucket_of(millis), kBuckets - 1)];
    ++count_;
    sum_ += Millis{static_cast<std::int64_t>(millis)};
    max_ = std::max(max_, length);
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Millis sum() const { return sum_; }
  [[nodiscard]] Millis max() const { return max_; }

  // The length that `share` (0 to 1) of all are not above: the upper end of its bucket, and never above
  // max(). Zero while nothing was added.
  [[nodiscard]] Millis quantile(double share) const {
    const double wanted = share * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += counts_[bucket];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return std::min(upper_end(bucket), max_);
    }
    return max_;
  }

  // How many were at most this long; exact for the upper end of a bucket, 2^n - 1 ms among them.
  [[nodiscard]] std::uint64_t count_up_to(Millis length) const {
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < kBuckets && upper_end(bucket) <= length; ++bucket)
      seen += counts_[bucket];
    return seen;
  }

 private:
  friend struct SavedFields;  // saved_state.cpp lists the members that survive a restart

  static constexpr unsigned kSubBits = 4;  // 16 buckets in each power of two
  static constexpr std::uint64_t kSub = 1U << kSubBits;
  static constexpr std::size_t kBuckets = kSub * 22;  // up to 2^25 ms

  static std::size_t bucket_of(std::uint64_t millis) {
    if (millis < kSub) return millis;
    const auto shift = static_cast<unsigned>(std::bit_width(millis)) - kSubBits - 1;
    return kSub * shift + (millis >> shift);
  }
  static Millis upper_end(std::size_t bucket) {
    if (bucket < 2 * kSub) return Millis{static_cast<std::int64_t>(bucket)};
    const std::size_t shift = bucket / kSub - 1;
    const std::uint64_t first = (bucket - kSub * shift) << shift;
    return Millis{static_cast<std::int64_t>(first + (std::uint64_t{1} << shift) - 1)};
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  Millis sum_{0};
  Millis max_{0};
};

}  // namespace heartbeat
