#include "daemon/core/margin_histogram.h"

#include <doctest/doctest.h>

using heartbeat::MarginHistogram;

TEST_CASE("a clean record is a whole margin, and a leave none") {
  MarginHistogram margins;
  for (int beat = 0; beat < 5; ++beat) margins.add(0, 5);
  margins.add_none();
  CHECK(margins.count_up_to(0) == 1);
  CHECK(margins.count_up_to(9) == 1);
  CHECK(margins.count_up_to(10) == 6);
  CHECK(margins.sum() == 5.0);
}

TEST_CASE("every margin is in the bucket whose upper end it does not pass, for every rule") {
  for (std::uint32_t all = 1; all <= 1000; ++all) {
    for (std::uint32_t ticks = 1; ticks < all; ++ticks) {
      MarginHistogram margins;
      margins.add(ticks, all);
      const double margin = static_cast<double>(all - ticks) / all;
      std::size_t bucket = 0;
      while (margins.count_up_to(bucket) == 0) ++bucket;
      // Of whole numbers, so that a margin of exactly three tenths is none above them.
      const bool fits = (all - ticks) * 10U <= bucket * all;
      const bool fits_below = bucket > 0 && (all - ticks) * 10U <= (bucket - 1) * all;
      if (!fits || fits_below) FAIL("all " << all << " ticks " << ticks);
      if (margins.sum() != doctest::Approx(margin)) FAIL("sum");
    }
  }
}
