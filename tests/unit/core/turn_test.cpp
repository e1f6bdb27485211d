#include "daemon/core/turn.h"

#include <doctest/doctest.h>

#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

constexpr MonoTime kNever = MonoTime::never();
const Rule kRule{.tick = 10s};  // a stall limit of 1 s, and a pulse of 250 ms

}  // namespace

TEST_CASE(
    "the loop sleeps until the next instant at which a client is looked at, and not a millisecond more") {
  Turn turn{kRule, t0};
  CHECK(turn.next_poll(t0 + 1ms) == t0 + 1ms);
  CHECK(turn.next_poll(t0 + 249ms) == t0 + 249ms);
  CHECK_FALSE(turn.woke(t0 + 100ms));
  CHECK_FALSE(turn.polled());
  CHECK(turn.next_poll(t0 + 101ms) == t0 + 101ms);
}

TEST_CASE("where no client is looked at sooner, the loop sleeps until its pulse") {
  Turn turn{kRule, t0};
  CHECK(turn.next_poll(kNever) == t0 + 250ms);
  CHECK(turn.next_poll(t0 + 250ms) == t0 + 250ms);
  CHECK(turn.next_poll(t0 + 251ms) == t0 + 250ms);
}

TEST_CASE("an instant that has come is judged after one more poll, which does not sleep") {
  Turn turn{kRule, t0};
  static_cast<void>(turn.woke(t0 + 5ms));
  CHECK_FALSE(turn.polled());  // this poll may have been interrupted before it read anything
  CHECK(turn.next_poll(t0 + 5ms) == t0 + 5ms);
  CHECK_FALSE(turn.may_rest());
  static_cast<void>(turn.woke(t0 + 6ms));
  CHECK(turn.polled());
  CHECK(turn.next_poll(kNever) == t0 + 250ms);
  CHECK(turn.may_rest());
}

TEST_CASE("an instant that comes while a turn is under way is seen at its end") {
  Turn turn{kRule, t0};
  CHECK(turn.next_poll(t0 + 1ms) == t0 + 1ms);
  // The loop woke for something else in the same millisecond, and is a millisecond late.
  static_cast<void>(turn.woke(t0 + 2ms));
  CHECK_FALSE(turn.polled());
  CHECK(turn.next_poll(t0 + 1ms) == t0 + 2ms);
  static_cast<void>(turn.woke(t0 + 2ms));
  CHECK(turn.polled());
}

TEST_CASE(
    "where clients are still due after the judging, the next poll does not sleep, and judging goes on") {
  Turn turn{kRule, t0};
  CHECK(turn.next_poll(t0) == t0);
  for (int slice = 0; slice < 3; ++slice) {
    static_cast<void>(turn.woke(t0 + slice * 1ms));
    CHECK(turn.polled());
    CHECK(turn.next_poll(t0) == t0 + slice * 1ms);
  }
}

TEST_CASE(
    "after a stall two polls that cannot sleep hear what arrived in it, before the rest of its time counts") {
  Turn turn{kRule, t0};
  CHECK(turn.next_poll(t0 + 600ms) == t0 + 250ms);
  CHECK(turn.woke(t0 + 10s) == 9s);
  CHECK(turn.now() == t0 + 500ms);
  CHECK(turn.settled_now() == t0 + 1s);
  CHECK_FALSE(turn.polled());  // the poll that noticed the stall may have been interrupted
  CHECK(turn.next_poll(t0 + 600ms) == t0 + 10s);
  for (int poll = 1; poll < 2; ++poll) {
    CHECK_FALSE(turn.may_rest());
    CHECK_FALSE(turn.woke(t0 + 10s + poll * 1ms));
    CHECK(turn.now() == t0 + 500ms + poll * 1ms);
    CHECK_FALSE(turn.polled());
    CHECK(turn.next_poll(t0 + 600ms) == t0 + 10s + poll * 1ms);
  }
  CHECK_FALSE(turn.woke(t0 + 10s + 2ms));
  CHECK(turn.polled());
  CHECK(turn.heard_at() == t0 + 502ms);
  CHECK(turn.now() == t0 + 1002ms);
  CHECK(turn.may_rest());
}

TEST_CASE("a stall before the polls for the one before it were made is heard out anew") {
  Turn turn{kRule, t0};
  CHECK(turn.woke(t0 + 10s) == 9s);
  CHECK_FALSE(turn.polled());
  CHECK(turn.woke(t0 + 20s) == 9s);
  CHECK(turn.now() == t0 + 1500ms);
  CHECK_FALSE(turn.polled());
  static_cast<void>(turn.woke(t0 + 20s));
  CHECK_FALSE(turn.polled());
  static_cast<void>(turn.woke(t0 + 20s));
  CHECK(turn.polled());
  CHECK(turn.now() == t0 + 2s);
}

TEST_CASE("another rule has another pulse and another stall limit, from the present turn on") {
  Turn turn{kRule, t0};
  static_cast<void>(turn.woke(t0 + 100ms));
  turn.set_rule({.tick = 400ms});
  CHECK(turn.next_poll(kNever) == t0 + 200ms);
  CHECK_FALSE(turn.woke(t0 + 500ms));
  CHECK(turn.woke(t0 + 901ms) == 1ms);
}

TEST_CASE("each pulse is taken once, with how late it was") {
  Turn turn{kRule, t0};
  static_cast<void>(turn.woke(t0 + 249ms));
  CHECK_FALSE(turn.take_pulse());
  static_cast<void>(turn.woke(t0 + 253ms));
  CHECK(turn.take_pulse());
  CHECK_FALSE(turn.take_pulse());
  CHECK(turn.next_pulse() == t0 + 503ms);
  CHECK(turn.lateness().count() == 1);
  CHECK(turn.lateness().max() == 3ms);
}

TEST_CASE("a rest ends a millisecond before the next poll would, and is never longer than wanted") {
  CHECK(Turn::rest(50ms, 100ms) == 50ms);
  CHECK(Turn::rest(50ms, 51ms) == 50ms);
  CHECK(Turn::rest(50ms, 50ms) == 49ms);
  CHECK(Turn::rest(50ms, 2ms) == 1ms);
  CHECK(Turn::rest(50ms, 1ms) == 0ms);
  CHECK(Turn::rest(50ms, 0ms) == 0ms);
  CHECK(Turn::rest(0ms, 100ms) == 0ms);
}
