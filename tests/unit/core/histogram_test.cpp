#include "daemon/core/histogram.h"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/support/print.h"
#include "tests/unit/support/property.h"

using namespace heartbeat;
using namespace heartbeat::test;

TEST_CASE("a histogram of nothing is zero everywhere") {
  const Histogram none;
  CHECK(none.count() == 0);
  CHECK(none.sum() == 0ms);
  CHECK(none.max() == 0ms);
  CHECK(none.quantile(0.5) == 0ms);
}

TEST_CASE("short lengths are kept exactly") {
  Histogram lengths;
  for (int length = 1; length <= 10; ++length) lengths.add(Millis{length});
  CHECK(lengths.count() == 10);
  CHECK(lengths.sum() == 55ms);
  CHECK(lengths.quantile(0.5) == 5ms);
  CHECK(lengths.quantile(1) == 10ms);
  CHECK(lengths.count_up_to(7ms) == 7);
}

TEST_CASE("a length below zero counts as zero, and one beyond the last bucket as that") {
  Histogram lengths;
  lengths.add(-5ms);
  lengths.add(24h);
  CHECK(lengths.count() == 2);
  CHECK(lengths.quantile(0.5) == 0ms);
  CHECK(lengths.max() == 24h);
  CHECK(lengths.sum() == 24h);
}

TEST_CASE("a quantile is never below the true one, and above it by a sixteenth at the most") {
  check_property(5000, [] {
    const auto millis = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<int>>(rc::gen::oneOf(between(0, 40), between(0, 30'000'000))));
    Histogram lengths;
    for (const int length : millis) lengths.add(Millis{length});
    auto sorted = millis;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t rank = 1; rank <= sorted.size(); ++rank) {
      const Millis exact{sorted[rank - 1]};
      // Half a rank below, so that no rounding of the share can reach the next.
      const Millis given =
          lengths.quantile((static_cast<double>(rank) - 0.5) / static_cast<double>(sorted.size()));
      RC_ASSERT(given >= exact);
      RC_ASSERT(given <= exact + exact / 16);
    }
  });
}
