#include "daemon/io/memory_return.h"

#include <doctest/doctest.h>

using namespace heartbeat;
using namespace std::chrono_literals;

namespace {

constexpr MonoTime kStart{1h};
constexpr Millis kLater = limits::kMemoryReturnEvery;

}  // namespace

TEST_CASE("memory is given back when half of many clients are gone, and no more are going") {
  MemoryReturn memory;
  CHECK_FALSE(memory.is_due(15'000, kStart));
  CHECK_FALSE(memory.is_due(7'501, kStart + kLater));
  CHECK_FALSE(memory.is_due(7'501, kStart + 2 * kLater));  // not yet half
  CHECK_FALSE(memory.is_due(7'500, kStart + 3 * kLater));  // one more went
  CHECK(memory.is_due(7'500, kStart + 4 * kLater));
  // Once: what is left is what there is now.
  CHECK_FALSE(memory.is_due(7'500, kStart + 5 * kLater));
  CHECK_FALSE(memory.is_due(3'750, kStart + 6 * kLater));
  CHECK_FALSE(memory.is_due(3'751, kStart + 7 * kLater));  // no longer half
  CHECK_FALSE(memory.is_due(3'750, kStart + 8 * kLater));
  CHECK(memory.is_due(3'750, kStart + 9 * kLater));
}

TEST_CASE("it is looked at now and then, not at each turn, and a peak between is seen") {
  MemoryReturn memory;
  CHECK_FALSE(memory.is_due(0, kStart));
  CHECK_FALSE(memory.is_due(15'000, kStart + 1ms));
  CHECK_FALSE(memory.is_due(0, kStart + kLater - 1ms));
  CHECK(memory.is_due(0, kStart + kLater));
}

TEST_CASE("a few clients are no burst") {
  MemoryReturn memory;
  CHECK_FALSE(memory.is_due(limits::kBurstMin - 1, kStart));
  CHECK_FALSE(memory.is_due(0, kStart + kLater));
  CHECK_FALSE(memory.is_due(0, kStart + 2 * kLater));
  CHECK_FALSE(memory.is_due(limits::kBurstMin, kStart + 3 * kLater));
  CHECK_FALSE(memory.is_due(0, kStart + 4 * kLater));
  CHECK(memory.is_due(0, kStart + 5 * kLater));
}
