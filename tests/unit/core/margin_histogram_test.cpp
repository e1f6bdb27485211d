#include "daemon/core/margin_histogram.h"

#include <doctest/doctest.h>

using heartbeat::MarginHistogram;

TEST_CASE("a clean record is a whole margin, and a strike none") {
  MarginHistogram margins;
  for (int beat = 0; beat < 5; ++beat) margins.add(0, 5);
  margins.add_none();
  CHECK(margins.count_up_to(0) == 1);
  CHECK(margins.count_up_to(9) == 1);
  CHECK(margins.count_up_to(10) == 6);
  CHECK(margins.sum() == 5.0);
}

TEST_CASE("every margin is in the bucket whose upper end it does not pass, for every threshold") {
  for (std::uint16_t threshold = 1; threshold <= 1000; ++threshold) {
    for (std::uint16_t silence = 1; silence < threshold; ++silence) {
      MarginHistogram margins;
      margins.add(silence, threshold);
      const double margin = static_cast<double>(threshold - silence) / threshold;
      std::size_t bucket = 0;
      while (margins.count_up_to(bucket) == 0) ++bucket;
      // Of whole numbers, so that a margin of exactly three tenths is none above them.
      const bool fits = (threshold - silence) * 10U <= bucket * threshold;
      const bool fits_below = bucket > 0 && (threshold - silence) * 10U <= (bucket - 1) * threshold;
      if (!fits || fits_below) FAIL("threshold " << threshold << " silence " << silence);
      if (margins.sum() != doctest::Approx(margin)) FAIL("sum");
    }
  }
}
