// How close clients come to a strike: the room that is left of the silent ticks that make one, as a share
// from 1 (nothing was missed) to 0 (a strike), in tenths.
//
// A heartbeat of a client with a clean record, nearly every one, is one increment.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace heartbeat {

class MarginHistogram {
 public:
  static constexpr std::size_t kTenths = 10;

  // A heartbeat while `silence` of the `threshold` silent ticks of a strike stand.  silence < threshold.
  void add(std::uint16_t silence, std::uint16_t threshold) {
    if (silence == 0) {
      ++full_;
      return;
    }
    const std::uint32_t left = threshold - std::uint32_t{silence};
    ++counts_.at((left * kTenths + threshold - 1) / threshold);
    sum_of_parts_ += static_cast<double>(left) / threshold;
  }

  // A strike: there was no room left.
  void add_none() { ++counts_[0]; }

  // How many had at most so many tenths (0 to 10), and the sum of all shares.
  [[nodiscard]] std::uint64_t count_up_to(std::size_t tenths) const {
    std::uint64_t seen = 0;
    for (std::size_t at = 0; at <= tenths; ++at) seen += counts_.at(at);
    return tenths < kTenths ? seen : seen + full_;
  }
  [[nodiscard]] double sum() const { return static_cast<double>(full_) + sum_of_parts_; }

 private:
  std::uint64_t full_ = 0;
  std::array<std::uint64_t, kTenths + 1> counts_{};  // without the full ones
  double sum_of_parts_ = 0;
};

}  // namespace heartbeat
