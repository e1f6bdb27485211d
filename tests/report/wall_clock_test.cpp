#include "daemon/report/wall_clock.h"

#include <chrono>

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/control/support/desk.h"

using namespace std::chrono_literals;
using heartbeat::format_for_sentence;
using heartbeat::format_instant;
using heartbeat::WallClock;
using heartbeat::test::kMorning;
using heartbeat::test::kStart;

TEST_CASE("an instant is written in UTC with milliseconds") {
  CHECK(format_instant(kMorning) == "2026-11-22T09:00:00.000Z");
  CHECK(format_instant(kMorning + 55min + 14s + 570ms) == "2026-11-22T09:55:14.570Z");
  CHECK(format_instant(kMorning + 15h - 1ms) == "2026-11-22T23:59:59.999Z");
  CHECK(format_instant(kMorning + 15h) == "2026-11-23T00:00:00.000Z");
}

TEST_CASE("a sentence says the day only where it is another") {
  CHECK(format_for_sentence(kMorning + 5s, kMorning + 14h) == "09:00:05 UTC");
  CHECK(format_for_sentence(kMorning + 5s, kMorning + 15h) == "2026-11-22 09:00:05 UTC");
}

TEST_CASE("while nothing happens both clocks go on together") {
  WallClock clock{kMorning, kStart};
  CHECK(clock.at(kStart) == kMorning);
  CHECK(clock.at(kStart + 90s) == kMorning + 90s);
  CHECK(clock.at(kStart - 90s) == kMorning - 90s);
}

TEST_CASE("after a stall the wall clock is ahead, and earlier instants are written as they were") {
  WallClock clock{kMorning, kStart};
  clock.agree(kMorning + 10s - 1ms, kStart + 10s - 1ms);
  clock.agree(kMorning + 10s + 30s, kStart + 10s);
  CHECK(clock.at(kStart + 10s - 1ms) == kMorning + 10s - 1ms);
  CHECK(clock.at(kStart + 10s) == kMorning + 40s);
  CHECK(clock.at(kStart + 20s) == kMorning + 50s);
}

TEST_CASE(
    "what the listening clock passed over in a stall is written as the end of the stall, not as before it") {
  WallClock clock{kMorning, kStart};
  clock.agree(kMorning + 30s, kStart + 500ms);         // a stall was noticed: half of the limit counts
  clock.agree(kMorning + 30s + 2ms, kStart + 502ms);   // what had arrived is heard
  clock.agree(kMorning + 30s + 3ms, kStart + 1003ms);  // and the other half counts
  CHECK(clock.at(kStart) == kMorning);
  CHECK(clock.at(kStart + 1ms) == kMorning + 30s - 499ms);
  CHECK(clock.at(kStart + 500ms) == kMorning + 30s);
  CHECK(clock.at(kStart + 502ms) == kMorning + 30s + 2ms);
  CHECK(clock.at(kStart + 503ms) == kMorning + 30s - 497ms);
  CHECK(clock.at(kStart + 1003ms) == kMorning + 30s + 3ms);
  CHECK(clock.at(kStart + 2s) == kMorning + 31s);
}

TEST_CASE("a clock that is set back writes earlier instants as it wrote them then") {
  WallClock clock{kMorning, kStart};
  clock.agree(kMorning + 9s, kStart + 9s);
  clock.agree(kMorning + 10s - 1h, kStart + 10s);
  CHECK(clock.at(kStart + 9s) == kMorning + 9s);
  CHECK(clock.at(kStart + 11s) == kMorning + 11s - 1h);
}

TEST_CASE("the grain of the readings changes nothing, and drift beyond it does") {
  WallClock clock{kMorning, kStart};
  clock.agree(kMorning + 1s + heartbeat::limits::kWallDriftMax, kStart + 1s);
  CHECK(clock.at(kStart + 2s) == kMorning + 2s);
  clock.agree(kMorning + 1s + heartbeat::limits::kWallDriftMax + 1ms, kStart + 1s);
  CHECK(clock.at(kStart + 2s) == kMorning + 2s + heartbeat::limits::kWallDriftMax + 1ms);
}

TEST_CASE("of more steps than are remembered the oldest are forgotten") {
  WallClock clock{kMorning, kStart};
  for (unsigned step = 1; step <= heartbeat::limits::kWallStepsMax; ++step) {
    clock.agree(kMorning + step * 2s, kStart + step * 1s);
  }
  // The first correction is gone, so what was before it is written as after the second.
  CHECK(clock.at(kStart) == kMorning + 1s);
  CHECK(clock.at(kStart + 2s) == kMorning + 4s);
}
