// How close clients come to leave.  The margin is the room that is left of the silent ticks that make a
// leave, as a share from 1 (a clean record) to 0 (leave); here in tenths.
//
// A heartbeat of a client with a clean record, nearly every one, is one increment.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace heartbeat {

struct SavedFields;

class MarginHistogram {
 public:
  static constexpr std::size_t kTenths = 10;

  // A heartbeat while `ticks` of the `all` silent ticks that make a leave stand.  ticks <= all; 1 <= all.
  void add(std::uint32_t ticks, std::uint32_t all) {
    if (ticks == 0) {
      ++full_;
      return;
    }
    const std::uint32_t left = all - ticks;
    // Rounded up: a bucket counts margins up to its end.
    ++counts_.at((std::size_t{left} * kTenths + all - 1) / all);
    sum_of_parts_ += static_cast<double>(left) / all;
  }

  // A leave for silence: no room was left.
  void add_none() { ++counts_[0]; }

  // How many margins were at most `tenths` (0 to 10), and the sum of all margins.
  [[nodiscard]] std::uint64_t count_up_to(std::size_t tenths) const {
    std::uint64_t seen = 0;
    for (std::size_t at = 0; at <= tenths; ++at) seen += counts_.at(at);
    return tenths < kTenths ? seen : seen + full_;
  }
  [[nodiscard]] double sum() const { return static_cast<double>(full_) + sum_of_parts_; }

 private:
  friend struct SavedFields;  // saved_state.cpp lists the members that survive a restart

  std::uint64_t full_ = 0;
  std::array<std::uint64_t, kTenths + 1> counts_{};  // without the full ones
  double sum_of_parts_ = 0;
};

}  // namespace heartbeat
