#include "daemon/report/rate.h"

#include <doctest/doctest.h>

using heartbeat::Millis;
using heartbeat::MonoTime;
using heartbeat::Rate;

namespace {

MonoTime at(std::int64_t millis) {
  return MonoTime{Millis{millis}};
}

// Samples every 250 ms from 5 s on, while the total grows by `per_second` each second.
void run(Rate& rate, std::int64_t seconds, std::uint64_t per_second) {
  for (std::int64_t millis = 0; millis <= seconds * 1000; millis += 250) {
    rate.sample(static_cast<std::uint64_t>(millis) * per_second / 1000, at(5000 + millis));
  }
}

}  // namespace

TEST_CASE("a rate is nothing until a whole second is known") {
  Rate rate;
  CHECK(rate.over(1) == 0);
  rate.sample(100, at(5300));
  rate.sample(200, at(5900));
  CHECK(rate.over(1) == 0);
  rate.sample(250, at(6000));
  CHECK(rate.over(1) == 150);
  CHECK(rate.over(60) == 150);
}

TEST_CASE("a steady stream has the same rate over every length") {
  Rate rate;
  run(rate, 130, 40);
  CHECK(rate.over(1) == 40);
  CHECK(rate.over(10) == 40);
  CHECK(rate.over(60) == 40);
}

TEST_CASE("each length forgets what is older than itself") {
  Rate rate;
  run(rate, 100, 60);
  rate.sample(6000, at(105'000 + 1000));
  CHECK(rate.over(1) == 0);
  CHECK(rate.over(10) == 54);
  CHECK(rate.over(60) == 59);
  rate.sample(6000, at(105'000 + 60'000));
  CHECK(rate.over(60) == 0);
}

TEST_CASE("a gap in the sampling longer than everything remembered leaves nothing of before") {
  Rate rate;
  run(rate, 20, 60);
  rate.sample(1200, at(25'000 + 1'000'000));
  CHECK(rate.over(60) == 0);
  rate.sample(1260, at(25'000 + 1'001'000));
  CHECK(rate.over(1) == 60);
  CHECK(rate.over(60) == 1);
}
