#include "daemon/io/accept_gate.h"

#include <doctest/doctest.h>

#include "tests/unit/support/instants.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// How many are admitted at that instant before it shuts.
unsigned admitted(AcceptGate& gate, MonoTime at) {
  gate.reopen(at);
  unsigned count = 0;
  for (; count < 1'000'000 && gate.is_open(at); ++count) gate.admit();
  return count;
}

}  // namespace

TEST_CASE("two seconds' worth come at once, and not one more; then it is shut for 50 ms") {
  AcceptGate gate{100, t0};
  CHECK(admitted(gate, t0) == 200);
  CHECK(gate.is_paused());
  CHECK(gate.opens_at() == t0 + 50ms);
  CHECK(admitted(gate, t0 + 49ms) == 0);
  CHECK(admitted(gate, t0 + 50ms) == 5);
  CHECK(admitted(gate, t0 + 100ms) == 5);
}

TEST_CASE("over a long time the rate is kept exactly, and what was not used is not saved beyond the burst") {
  AcceptGate gate{100, t0};
  unsigned all = 0;
  for (Millis in{0}; in <= 10s; in += 1ms) all += admitted(gate, t0 + in);
  CHECK(all == 200 + 1000);
  CHECK(admitted(gate, t0 + 1h) == 200);
}

TEST_CASE("at a rate below twenty a pause lasts until one more is allowed") {
  AcceptGate gate{1, t0};
  CHECK(admitted(gate, t0) == 2);
  CHECK(gate.opens_at() == t0 + 1s);
  CHECK(admitted(gate, t0 + 1s) == 1);
}

TEST_CASE("without a rate it is never shut") {
  AcceptGate gate{0, t0};
  CHECK(admitted(gate, t0) == 1'000'000);
  CHECK_FALSE(gate.is_paused());
  CHECK(gate.pauses() == 0);
}

TEST_CASE("to ask whether it is open takes no permit") {
  AcceptGate gate{1, t0};
  for (int asked = 0; asked < 10; ++asked) CHECK(gate.is_open(t0));
  CHECK(admitted(gate, t0) == 2);
}

TEST_CASE("a bound that is taken away opens it at once") {
  AcceptGate gate{1, t0};
  CHECK(admitted(gate, t0) == 2);
  gate.set_rate(0);
  gate.reopen(t0 + 1ms);
  CHECK(gate.is_open(t0 + 1ms));
}

TEST_CASE("pauses are counted with their length") {
  AcceptGate gate{100, t0};
  CHECK(admitted(gate, t0) == 200);
  gate.reopen(t0 + 60ms);
  CHECK_FALSE(gate.is_paused());
  CHECK(gate.pauses() == 1);
  CHECK(gate.paused() == 60ms);

  CHECK(admitted(gate, t0 + 60ms) == 6);
  CHECK(gate.pauses() == 2);
  gate.reopen(t0 + 110ms);
  CHECK(gate.paused() == 110ms);
}

TEST_CASE("a new rate begins with its burst; the same one changes nothing; none at all ends the pause") {
  AcceptGate gate{100, t0};
  CHECK(admitted(gate, t0) == 200);
  gate.set_rate(100);
  CHECK(admitted(gate, t0 + 1ms) == 0);
  gate.set_rate(0);
  CHECK(admitted(gate, t0 + 1ms) == 1'000'000);
  CHECK_FALSE(gate.is_paused());
  gate.set_rate(10);
  CHECK(admitted(gate, t0 + 1ms) == 20);
}
