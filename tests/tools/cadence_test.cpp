#include "common/cadence.h"

#include <doctest/doctest.h>

namespace heartbeat {
namespace {

using std::chrono_literals::operator""ms;

const MonoTime t0{Millis{5'000}};

TEST_CASE("beats stand at whole intervals from the anchor, however late each one was") {
  CHECK(next_beat(t0, 100ms, t0) == t0 + 100ms);
  CHECK(next_beat(t0, 100ms, t0 + 100ms) == t0 + 200ms);
  CHECK(next_beat(t0, 100ms, t0 + 199ms) == t0 + 200ms);
  CHECK(next_beat(t0, 100ms, t0 + 200ms) == t0 + 300ms);
}

TEST_CASE("beats that were missed altogether are not made up for") {
  CHECK(next_beat(t0, 100ms, t0 + 12'345ms) == t0 + 12'400ms);
}

}  // namespace
}  // namespace heartbeat
