#include "daemon/core/pacing.h"

#include <doctest/doctest.h>

using namespace heartbeat;
using namespace std::chrono_literals;

namespace {

// A loop that takes so many reads at each turn, and turns every `every`, for `length`; returns the pause that
// follows the last one.
struct Turns {
  Pacing pacing;
  Nanos now{0};
  Nanos resumed{0};

  Turns() { pacing.set_longest(50ms); }

  Nanos run(int reads, Nanos every, Nanos length) {
    Nanos rest{0};
    for (const Nanos end = now + length; now < end;) {
      now += every;
      for (int read = 0; read < reads; ++read) pacing.read();
      rest = pacing.pause(now);
      pacing.resumed(now);
    }
    return rest;
  }

  // A turn that took so long since the poll before it.
  Nanos turn(Nanos took) {
    pacing.resumed(now);
    now += took;
    return pacing.pause(now);
  }
};

}  // namespace

TEST_CASE("the pause is a 200th of a tick, and never more than the longest") {
  CHECK(longest_pause(50ms, 10s) == 50ms);
  CHECK(longest_pause(50ms, 9'999ms) == 49ms);
  CHECK(longest_pause(50ms, 1s) == 5ms);
  CHECK(longest_pause(20ms, 10s) == 20ms);
  CHECK(longest_pause(50ms, 199ms) == 0ms);
  CHECK(longest_pause(0ms, 10s) == 0ms);
}

TEST_CASE("a pause lets about a hundred reads gather") {
  Turns fast;
  fast.run(50, 1ms, 500ms);  // 50 000 a second
  CHECK(fast.turn(0ms) == 2ms);

  Turns steady;
  steady.run(3, 2ms, 500ms);  // 1500 a second: a hundred would take 67 ms
  CHECK(steady.turn(0ms) == 50ms);
}

TEST_CASE("the time that the turn itself took is part of it") {
  Turns turns;
  turns.run(50, 1ms, 500ms);
  CHECK(turns.turn(500us) == 1500us);
  CHECK(turns.turn(1900us) == 100us);
  CHECK(turns.turn(1901us) == 0us);  // not worth a sleep
  CHECK(turns.turn(30ms) == 0us);    // as busy as can be
}

TEST_CASE("there is no pause where it would gather next to nothing") {
  Turns turns;
  turns.run(4, 25ms, 500ms);  // 160 a second: 8 in 50 ms
  CHECK(turns.turn(0ms) == 50ms);
  turns.run(3, 25ms, 500ms);
  CHECK(turns.turn(0ms) == 0ms);
}

TEST_CASE("there is none when it is turned off") {
  Turns turns;
  turns.pacing.set_longest(0ms);
  turns.run(50, 1ms, 500ms);
  CHECK(turns.turn(0ms) == 0ms);
}

TEST_CASE("there is none for a while after somebody came or asked") {
  Turns turns;
  turns.run(50, 1ms, 500ms);
  turns.pacing.hurry(turns.now);
  turns.run(50, 1ms, 99ms);
  CHECK(turns.turn(0ms) == 0ms);
  turns.run(50, 1ms, 1ms);
  CHECK(turns.turn(0ms) == 2ms);
}

TEST_CASE("clients that ask for acks wait for 5 ms at the most") {
  Turns turns;
  for (int answer = 0; answer < 10; ++answer) {
    turns.pacing.answered();
    turns.run(20, 10ms, 100ms);  // 2000 a second: 10 in 5 ms
  }
  CHECK(turns.turn(0ms) == 5ms);
  turns.run(20, 10ms, 200ms);  // no request comes any more
  CHECK(turns.turn(0ms) == 50ms);
}
