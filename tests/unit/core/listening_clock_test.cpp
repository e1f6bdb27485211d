#include "daemon/core/listening_clock.h"

#include <doctest/doctest.h>

#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

TEST_CASE("the clock goes with the machine's while the loop turns often") {
  ListeningClock clock{1s, t0};
  CHECK(clock.now() == t0);
  for (int turn = 1; turn <= 100; ++turn) {
    CHECK_FALSE(clock.turn(t0 + turn * 250ms));
    CHECK(clock.now() == t0 + turn * 250ms);
  }
}

TEST_CASE("a gap of exactly the limit counts in full") {
  ListeningClock clock{1s, t0};
  CHECK_FALSE(clock.turn(t0 + 1s));
  CHECK(clock.now() == t0 + 1s);
}

TEST_CASE("a gap one millisecond over the limit is a stall of one millisecond") {
  ListeningClock clock{1s, t0};
  CHECK(clock.turn(t0 + 1001ms) == 1ms);
  clock.settle();
  CHECK(clock.now() == t0 + 1s);
}

TEST_CASE("a long stall counts as the limit only, and is over with the turn that finds it") {
  ListeningClock clock{1s, t0};
  CHECK(clock.turn(t0 + 1h) == 1h - 1s);
  clock.settle();
  CHECK(clock.now() == t0 + 1s);
  CHECK_FALSE(clock.turn(t0 + 1h));
  CHECK_FALSE(clock.turn(t0 + 1h + 300ms));
  CHECK(clock.now() == t0 + 1s + 300ms);
}

TEST_CASE("after a stall half of the limit counts at once, and half when what had arrived was heard") {
  ListeningClock clock{1s, t0};
  CHECK_FALSE(clock.owes());
  CHECK(clock.turn(t0 + 10s) == 9s);
  CHECK(clock.owes());
  CHECK(clock.now() == t0 + 500ms);
  CHECK(clock.settled_now() == t0 + 1s);
  CHECK_FALSE(clock.turn(t0 + 10s + 5ms));
  CHECK(clock.now() == t0 + 505ms);
  clock.settle();
  CHECK_FALSE(clock.owes());
  CHECK(clock.now() == t0 + 1s + 5ms);
  CHECK(clock.settled_now() == clock.now());
}

TEST_CASE("stalls add up; a daemon that stalls in every turn goes on a limit at a time") {
  ListeningClock clock{1s, t0};
  CHECK(clock.turn(t0 + 10s) == 9s);
  CHECK(clock.turn(t0 + 20s) == 9s);
  CHECK(clock.now() == t0 + 1500ms);
  clock.settle();
  CHECK(clock.now() == t0 + 2s);
}

TEST_CASE("the limit can be set anew") {
  ListeningClock clock{1s, t0};
  clock.set_stall_limit(100ms);
  CHECK(clock.turn(t0 + 500ms) == 400ms);
  clock.settle();
  CHECK(clock.now() == t0 + 100ms);
}

TEST_CASE("a gap counts for a second at the most, and never for more than a tick") {
  CHECK(stall_limit(Rule{}) == 1s);
  CHECK(stall_limit(Rule{.tick = 1001ms}) == 1s);
  CHECK(stall_limit(Rule{.tick = 999ms}) == 999ms);
  CHECK(stall_limit(Rule{.tick = 10ms}) == 10ms);
}

TEST_CASE("the loop wakes well within the stall limit, and never in a tight circle") {
  CHECK(pulse(Rule{}) == 250ms);
  CHECK(pulse(Rule{.tick = 400ms}) == 100ms);
  CHECK(pulse(Rule{.tick = 10ms}) == 2ms);
  CHECK(pulse(Rule{.tick = 1ms}) == 1ms);
}

TEST_CASE("a suspension is noticed once, with its length, and the grain of the clocks is none") {
  SuspensionWatch watch;
  CHECK_FALSE(watch.look(5s));  // slept before we were
  CHECK_FALSE(watch.look(5s + limits::kSuspensionMin - 1ms));
  CHECK(watch.look(5s + limits::kSuspensionMin) == limits::kSuspensionMin);
  CHECK_FALSE(watch.look(5s + limits::kSuspensionMin));
  CHECK(watch.look(8h) == 8h - 5s - limits::kSuspensionMin);
}

TEST_CASE("a machine that does not say has never slept") {
  SuspensionWatch watch;
  CHECK_FALSE(watch.look({}));
  CHECK_FALSE(watch.look(1h));
  CHECK_FALSE(watch.look({}));
  CHECK(watch.look(2h) == 1h);
}
