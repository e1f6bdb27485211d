// The figures of heartbeat-bench: medians, ratios within a round, the table.
#include <string>

#include <doctest/doctest.h>

#include "tools/bench/results.h"

using namespace heartbeat;
using namespace heartbeat::bench;

namespace {

Setup setup() {
  return {.machine = {.processor = "a processor",
                      .cores = 2,
                      .kernel = "a kernel",
                      .system = "a system",
                      .compiler = "a compiler",
                      .build = "a build",
                      .libuv = "1.2.3",
                      .clocksource = "tsc"},
          .version = "0.1.0",
          .rounds = 3,
          .seconds = 4};
}

}  // namespace

TEST_CASE("the median of an odd and of an even number of values, and how far they lie apart") {
  const Spread odd = spread_of({3, 1, 2});
  CHECK(odd.median == 2);
  CHECK(odd.least == 1);
  CHECK(odd.most == 3);
  CHECK(odd.count == 3);
  CHECK(spread_of({4, 1, 2, 3}).median == 2.5);
  CHECK(spread_of({7}).median == 7);
}

TEST_CASE("a ratio is taken within its round: a machine that slows down moves no ratio") {
  Results results;
  for (const unsigned round : {0U, 1U, 2U}) {
    results.add("rate", "raw-paused", round, 1000.0 * (round + 1));
    results.add("rate", "heartbeatd", round, 800.0 * (round + 1));
  }
  const auto ratio = results.ratio_to_reference("rate", "heartbeatd");
  REQUIRE(ratio);
  CHECK(ratio->least == doctest::Approx(0.8));
  CHECK(ratio->most == doctest::Approx(0.8));
  CHECK(results.of("rate", "heartbeatd")->median == 1600);
  CHECK_FALSE(results.of("rate", "libuv"));
  CHECK_FALSE(results.ratio_to_reference("batch", "heartbeatd"));
}

TEST_CASE("a round without the reference has no ratio") {
  Results results;
  results.add("rate", "raw-paused", 0, 1000);
  results.add("rate", "heartbeatd", 1, 500);
  CHECK_FALSE(results.ratio_to_reference("rate", "heartbeatd"));
}

TEST_CASE("the table has the servers beside each other, the ratio and what is wanted") {
  Results results;
  results.add("rate", "raw", 0, 6660);
  results.add("rate", "raw-paused", 0, 3330);
  results.add("rate", "libuv", 0, 3400);
  results.add("rate", "heartbeatd", 0, 2500);
  results.add("by_rate/500", "raw", 0, 9000.25);
  results.note("something was lowered");
  const std::string table = as_markdown(setup(), results);
  CHECK(table.find("| CPU per heartbeat, 50 000/s over 10 000 clients, ns | 6660: 2.00× | 3330 | 3400: 1.02× "
                   "| 2500: 0.75× | ≤ 1.15× |") != std::string::npos);
  CHECK(
      table.find("| median (least–most): to raw-paused | raw | raw-paused | libuv | heartbeatd | wanted |") !=
      std::string::npos);
  CHECK(table.find("| 500 | 9000.2 |") != std::string::npos);
  CHECK(table.find("- something was lowered\n") != std::string::npos);
  CHECK(table.find("a processor, 2 cores; a kernel; a system; libuv 1.2.3") != std::string::npos);
}

TEST_CASE("the points of a curve stand together, whatever was measured between them") {
  Results results;
  results.add("by_rate/500", "raw", 0, 1);
  results.add("by_clients/100", "raw", 0, 2);
  results.add("by_rate/1500", "raw", 0, 3);
  const std::string table = as_markdown(setup(), results);
  CHECK(table.find("| 500 | 1.0 |\n| 1500 | 3.0 |\n") != std::string::npos);
}
