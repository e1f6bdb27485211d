#include "tools/client/backoff.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "common/limits.h"

namespace heartbeat::client {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the longest pause doubles from 1 s up to 60 s, and stays there") {
  const Backoff backoff{1};
  CHECK(backoff.longest_pause(1) == 1'000ms);
  CHECK(backoff.longest_pause(2) == 2'000ms);
  CHECK(backoff.longest_pause(6) == 32'000ms);
  CHECK(backoff.longest_pause(7) == 60'000ms);
  CHECK(backoff.longest_pause(8) == 60'000ms);
  CHECK(backoff.longest_pause(0xFFFFFFFF) == 60'000ms);
}

TEST_CASE("a cap below the base bounds the first pause, too") {
  const Backoff backoff{1, 500ms, 200ms};
  CHECK(backoff.longest_pause(1) == 200ms);
}

TEST_CASE("a pause is anything from nothing to the longest: full jitter from the first on") {
  Millis least{limits::kReconnectMax};
  Millis most{0};
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    Backoff backoff{seed};
    const Millis pause = backoff.failed();
    CHECK(pause >= 0ms);
    CHECK(pause <= 1'000ms);
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  CHECK(least < 100ms);
  CHECK(most > 900ms);
}

TEST_CASE("a pause that has grown to the cap lasts half of it at least") {
  Millis least{limits::kReconnectMax};
  Millis most{0};
  Millis least_before{limits::kReconnectMax};
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    Backoff backoff{seed};
    for (int failures = 1; failures < 6; ++failures) static_cast<void>(backoff.failed());
    least_before = std::min(least_before, backoff.failed());
    const Millis pause = backoff.failed();
    CHECK(pause >= 30'000ms);
    CHECK(pause <= 60'000ms);
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  CHECK(least_before < 3'000ms);
  CHECK(least < 33'000ms);
  CHECK(most > 57'000ms);
}

TEST_CASE("the first pause begins at nothing, also where the base is as long as the cap") {
  Millis least{limits::kReconnectMax};
  for (std::uint32_t seed = 0; seed < 200; ++seed)
    least = std::min(least, Backoff{seed, 60'000ms, 60'000ms}.failed());
  CHECK(least < 6'000ms);
}

TEST_CASE(
    "a client that is not wanted pauses from half the cap to the cap at once, and longer after it, too") {
  Millis least{limits::kReconnectMax};
  Millis most{0};
  Millis least_after{limits::kReconnectMax};
  Millis most_after{0};
  Millis most_when_it_succeeded{0};
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    Backoff backoff{seed};
    const Millis pause = backoff.barred();
    CHECK(pause >= 30'000ms);
    CHECK(pause <= 60'000ms);
    CHECK(backoff.failures() == 1);
    const Millis after = backoff.failed();
    least_after = std::min(least_after, after);
    most_after = std::max(most_after, after);
    CHECK(backoff.failures() == 2);
    backoff.succeeded();
    most_when_it_succeeded = std::max(most_when_it_succeeded, backoff.failed());
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  CHECK(least < 33'000ms);
  CHECK(most > 57'000ms);
  CHECK(least_after >= 30'000ms);
  CHECK(most_after > 57'000ms);
  CHECK(most_after <= 60'000ms);
  CHECK(most_when_it_succeeded <= 1'000ms);
}

TEST_CASE("failures in a row are counted until a connection has stood for an interval") {
  Backoff backoff{1};
  CHECK(backoff.failures() == 0);
  for (int times = 0; times < 3; ++times) static_cast<void>(backoff.failed());
  CHECK(backoff.failures() == 3);
  backoff.succeeded();
  CHECK(backoff.failures() == 0);
  CHECK(backoff.failed() <= 1'000ms);
}

}  // namespace
}  // namespace heartbeat::client
