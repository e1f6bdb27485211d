// Chance from a seed, the same on every machine: the standard library's distributions are not.
#pragma once

#include <cstdint>

namespace heartbeat::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  // SplitMix64, which has no bad seeds.
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ mixed >> 30U) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ mixed >> 27U) * 0x94D049BB133111EBU;
    return mixed ^ mixed >> 31U;
  }

  // One of the numbers from `min` to `max`.
  std::int64_t between(std::int64_t min, std::int64_t max) {
    return min + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(max - min + 1));
  }

  // True `times` times in `of`.
  bool chance(std::uint64_t times, std::uint64_t of) { return next() % of < times; }

 private:
  std::uint64_t state_;
};

}  // namespace heartbeat::sim
