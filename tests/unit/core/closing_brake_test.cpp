#include "daemon/core/closing_brake.h"

#include <doctest/doctest.h>

#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

constexpr Rule kRule{.tick = 1s, .leave_timeout = 30s};
constexpr ClosingBrake::Settings kSettings{
    .share_percent = 50, .clients_min = 4, .window = 10s, .pause = 20s};

SilentLeave leave_from(MonoTime began) {
  return {.ends = began + kRule.leave_timeout, .began = began};
}

// Leaves that begin at t0, and at so much later.
ClosingBrake brake_of(std::initializer_list<Millis> leaves,
                      const ClosingBrake::Settings& settings = kSettings) {
  ClosingBrake brake{settings, kRule};
  for (const Millis later : leaves) brake.add(leave_from(t0 + later));
  return brake;
}

constexpr MonoTime kEnd = t0 + 30s;  // of a leave that began at t0

}  // namespace

TEST_CASE("more than the share of all clients makes the brake take hold, the share itself does not") {
  ClosingBrake at = brake_of({0s, 1s, 2s, 3s});
  CHECK(at.next() == kEnd);
  CHECK_FALSE(at.advance(8));
  CHECK_FALSE(at.holds());

  ClosingBrake over = brake_of({0s, 1s, 2s, 3s, 4s});
  CHECK(over.advance(9));
  CHECK(over.holds());
  CHECK(over.spans().back().from == kEnd);
  CHECK(over.spans().back().until == kEnd + 20s);
  CHECK(over.spans().back().concerned == 5);
  CHECK(over.spans().back().connected == 9);
}

TEST_CASE("fewer clients than the minimum never do, whatever their share; the minimum does") {
  CHECK_FALSE(brake_of({0s, 0s, 0s}).advance(3));
  ClosingBrake brake = brake_of({0s, 0s, 0s, 0s});
  CHECK(brake.next() == kEnd);
  CHECK(brake.advance(4));
}

TEST_CASE(
    "a leave that ends a window after the first one is not of that window, one a millisecond before is") {
  ClosingBrake outside = brake_of({0s, 1s, 2s, 10s});
  CHECK_FALSE(outside.advance(4));
  ClosingBrake inside = brake_of({0s, 1s, 2s, 9999ms});
  CHECK(inside.advance(4));
}

TEST_CASE("each instant at which a leave ends begins a window of its own") {
  ClosingBrake brake = brake_of({0s, 9s, 10s, 11s, 12s});
  CHECK_FALSE(brake.advance(7));
  CHECK(brake.next() == kEnd + 9s);  // those of the first instant are closed
  CHECK(brake.advance(6));
  CHECK(brake.spans().back().from == kEnd + 9s);
  CHECK(brake.spans().back().concerned == 4);
}

TEST_CASE(
    "leaves that end within the pause last until its end, those that end with it or later do not wait") {
  ClosingBrake brake = brake_of({0s, 0s, 0s, 0s});
  CHECK(brake.end_of(leave_from(t0)) == kEnd);
  REQUIRE(brake.advance(4));
  CHECK(brake.end_of(leave_from(t0)) == kEnd + 20s);
  CHECK(brake.end_of(leave_from(t0 + 19'999ms)) == kEnd + 20s);
  CHECK(brake.delays(leave_from(t0 + 19'999ms)));
  CHECK_FALSE(brake.delays(leave_from(t0 + 20s)));
  CHECK(brake.end_of(leave_from(t0 + 20s)) == kEnd + 20s);
  CHECK(brake.end_of(leave_from(t0 + 20'001ms)) == kEnd + 20'001ms);
  CHECK(brake.next() == kEnd + 20s);
}

TEST_CASE("those wait whose leave should have ended") {
  ClosingBrake brake = brake_of({0s, 1s, 1s, 2s});
  REQUIRE(brake.advance(4));
  CHECK(brake.waiting(kEnd) == 1);
  CHECK(brake.waiting(kEnd + 999ms) == 1);
  CHECK(brake.waiting(kEnd + 1s) == 3);
  brake.remove(leave_from(t0 + 1s));
  CHECK(brake.waiting(kEnd + 2s) == 3);
}

TEST_CASE("the brake lets go when its pause is over, and is asked for nothing then") {
  ClosingBrake brake = brake_of({0s, 0s, 0s, 0s});
  REQUIRE(brake.advance(4));
  CHECK(brake.advance(4));
  CHECK_FALSE(brake.holds());
  CHECK(brake.spans().back().end == BrakeEnd::RanOut);
  CHECK(brake.next() == MonoTime::never());
  // A client that is judged late is judged as it was.
  CHECK(brake.end_of(leave_from(t0)) == kEnd + 20s);
}

TEST_CASE("a leave that had begun when a brake ended is never held again; one that began then may be") {
  ClosingBrake brake = brake_of({0s, 0s, 0s, 0s});
  REQUIRE(brake.advance(4));
  REQUIRE(brake.advance(4));
  const MonoTime ended = kEnd + 20s;
  for (int client = 0; client < 8; ++client) brake.add(leave_from(ended - 1ms));
  CHECK(brake.next() == MonoTime::never());
  CHECK(brake.end_of(leave_from(ended - 1ms)) == ended - 1ms + 30s);

  for (int client = 0; client < 4; ++client) brake.add(leave_from(ended));
  CHECK(brake.next() == ended + 30s);  // one leave_timeout after the end: the earliest there can be
  CHECK(brake.advance(4));
  CHECK(brake.end_of(leave_from(ended)) == ended + 50s);
  CHECK(brake.end_of(leave_from(ended - 1ms)) == ended - 1ms + 30s);
  CHECK(brake.times_held() == 2);
}

TEST_CASE("an operator's end is the end of the delay") {
  ClosingBrake brake = brake_of({0s, 1s, 2s, 8s});
  REQUIRE(brake.advance(4));
  brake.end(BrakeEnd::Confirmed, kEnd + 5s);
  CHECK_FALSE(brake.holds());
  CHECK(brake.end_of(leave_from(t0)) == kEnd + 5s);
  CHECK(brake.end_of(leave_from(t0 + 8s)) == kEnd + 8s);
  CHECK(brake.spans().back().until == kEnd + 5s);
}

TEST_CASE("without a share there is no brake") {
  ClosingBrake brake = brake_of({0s, 0s, 0s, 0s, 0s}, {.share_percent = 0, .clients_min = 1});
  CHECK_FALSE(brake.is_on());
  CHECK(brake.next() == MonoTime::never());
}

TEST_CASE("the window is two ticks at least, and neither it nor the pause is longer than a leave") {
  const ClosingBrake slow{{.window = 1s, .pause = 20s}, {.tick = 4s, .leave_timeout = 30s}};
  CHECK(slow.window() == 8s);
  const ClosingBrake quick{{.window = 60s, .pause = 300s}, {.tick = 1s, .leave_timeout = 30s}};
  CHECK(quick.window() == 30s);
  CHECK(quick.pause() == 30s);
}

TEST_CASE("a reload ends the pause sooner where it is shorter, but never in the past") {
  ClosingBrake brake = brake_of({0s, 0s, 0s, 0s});
  REQUIRE(brake.advance(4));
  ClosingBrake::Settings shorter = kSettings;
  shorter.pause = 10s;
  brake.change_settings(shorter, kRule, kEnd + 1s);
  CHECK(brake.next() == kEnd + 10s);
  shorter.pause = 2s;
  brake.change_settings(shorter, kRule, kEnd + 5s);
  CHECK(brake.next() == kEnd + 5s);
}

TEST_CASE("as many spans are remembered as the bound says, and one more lets go of the oldest") {
  ClosingBrake brake{kSettings, kRule};
  MonoTime at = t0;
  for (std::size_t time = 0; time <= limits::kBrakesMax; ++time) {
    for (int client = 0; client < 4; ++client) brake.add(leave_from(at));
    REQUIRE(brake.advance(4));
    REQUIRE(brake.advance(4));
    CHECK(brake.spans().size() == std::min(time + 1, limits::kBrakesMax));
    at += 50s;
  }
  CHECK(brake.spans().front().from == kEnd + 50s);
  CHECK(brake.times_held() == limits::kBrakesMax + 1);
}

TEST_CASE("a leave that comes into the window after it was counted is counted, too") {
  ClosingBrake brake = brake_of({5s, 6s, 6s, 6s, 7s}, {.share_percent = 75, .clients_min = 4, .window = 10s});
  CHECK_FALSE(brake.advance(7));
  brake.add(leave_from(t0 + 5s));  // has gone by, and is not counted
  CHECK(brake.next() == kEnd + 6s);
  brake.add(leave_from(t0 + 6s));
  brake.add(leave_from(t0 + 14s));
  CHECK(brake.advance(7));
  CHECK(brake.spans().back().concerned == 6);
}

// A walk over all clients at each of their closes would take hours here.
TEST_CASE("two hundred thousand leaves that end one by one are counted without walking over all each time") {
  ClosingBrake brake{{.share_percent = 50, .clients_min = 20, .window = 10s}, kRule};
  constexpr int kMany = 200'000;
  for (int client = 0; client < kMany; ++client) brake.add(leave_from(t0 + client * 1ms));
  int looks = 0;
  while (brake.next() != MonoTime::never() && !brake.advance(kMany)) ++looks;
  CHECK(looks == kMany);
}
