#include "common/cadence.h"

#include <doctest/doctest.h>

namespace heartbeat {
namespace {

using namespace std::chrono_literals;

const MonoTime kStart{Millis{5'000}};

TEST_CASE("beats stand at whole intervals from the anchor, however late each one was") {
  CHECK(next_beat(kStart, 100ms, kStart) == kStart + 100ms);
  CHECK(next_beat(kStart, 100ms, kStart + 100ms) == kStart + 200ms);
  CHECK(next_beat(kStart, 100ms, kStart + 199ms) == kStart + 200ms);
  CHECK(next_beat(kStart, 100ms, kStart + 200ms) == kStart + 300ms);
}

TEST_CASE("beats that were missed altogether are not made up for") {
  CHECK(next_beat(kStart, 100ms, kStart + 12'345ms) == kStart + 12'400ms);
}

}  // namespace
}  // namespace heartbeat
