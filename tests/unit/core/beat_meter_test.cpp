#include "daemon/core/beat_meter.h"

#include <doctest/doctest.h>

#include "tests/unit/support/instants.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// So many heartbeats, each `apart` from the one before.
BeatMeter after(unsigned beats, Millis apart, unsigned rate) {
  BeatMeter meter;
  for (unsigned beat = 0; beat < beats; ++beat) meter.count(apart, rate);
  return meter;
}

}  // namespace

TEST_CASE("at once as many as ten seconds bring are allowed, and not one more") {
  CHECK_FALSE(after(1000, 0ms, 100).is_over(100));
  CHECK(after(1001, 0ms, 100).is_over(100));
}

TEST_CASE("a hundred at once are allowed at any rate, and not one more") {
  static_assert(limits::kBeatBurstMin == 100);
  CHECK_FALSE(after(100, 0ms, 1).is_over(1));
  CHECK(after(101, 0ms, 1).is_over(1));
}

TEST_CASE("the rate itself goes on for ever; what is above it fills the burst") {
  CHECK_FALSE(after(100'000, 10ms, 100).is_over(100));
  CHECK(after(100'000, 9ms, 100).is_over(100));
  // Each heartbeat at 5 ms leaves half of itself.
  CHECK_FALSE(after(1999, 5ms, 100).is_over(100));
  CHECK(after(2002, 5ms, 100).is_over(100));
}

TEST_CASE("it is emptied by the rate, down to half of the burst") {
  BeatMeter meter = after(1100, 0ms, 100);
  CHECK(meter.until_half(100) == 6000ms);
  meter.count(6000ms, 100);
  CHECK(meter.until_half(100) == 10ms);
  meter.count(24h, 100);
  CHECK(meter.until_half(100) == 0ms);
  CHECK_FALSE(meter.is_over(100));
}

TEST_CASE("neither the highest rate nor one that was lowered to nothing makes it wrap") {
  const BeatMeter meter = after(2'000'000, 0ms, limits::kBeatRateMax);
  CHECK(meter.is_over(limits::kBeatRateMax));
  CHECK(meter.until_half(1) > 0ms);
  CHECK(meter.until_half(0) == 0ms);
  const BeatMeter full = after(5'000'000, 0ms, 1);
  CHECK(full.is_over(1));
}
