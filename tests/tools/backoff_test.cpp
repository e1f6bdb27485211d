#include "tools/client/backoff.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "common/limits.h"

namespace heartbeat::client {
namespace {

using namespace std::chrono_literals;

TEST_CASE("the longest wait doubles from 500 ms up to 30 s, and stays there") {
  CHECK(Backoff::longest_wait(1) == 500ms);
  CHECK(Backoff::longest_wait(2) == 1'000ms);
  CHECK(Backoff::longest_wait(6) == 16'000ms);
  CHECK(Backoff::longest_wait(7) == 30'000ms);
  CHECK(Backoff::longest_wait(8) == 30'000ms);
  CHECK(Backoff::longest_wait(0xFFFFFFFF) == 30'000ms);
}

TEST_CASE("a wait is anything from nothing to the longest: full jitter") {
  Millis least{limits::kReconnectMax};
  Millis most{0};
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    Backoff backoff{seed};
    const Millis wait = backoff.failed();
    CHECK(wait >= 0ms);
    CHECK(wait <= 500ms);
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  CHECK(least < 50ms);
  CHECK(most > 450ms);
}

TEST_CASE("failures in a row are counted until the connection has proved itself") {
  Backoff backoff{1};
  CHECK(backoff.failures() == 0);
  for (int times = 0; times < 3; ++times) static_cast<void>(backoff.failed());
  CHECK(backoff.failures() == 3);
  backoff.succeeded();
  CHECK(backoff.failures() == 0);
  CHECK(backoff.failed() <= 500ms);
}

}  // namespace
}  // namespace heartbeat::client
