// The core in virtual time, as heartbeat-bench runs it: nothing is lost, and the rule is judged to the
// letter.
#include <doctest/doctest.h>

#include "tools/bench/core_run.h"

using namespace heartbeat::bench;

TEST_CASE("every heartbeat of a run is heard, and every silent client is struck and led to leave") {
  for (const SlotOrder order : {SlotOrder::Accepted, SlotOrder::Shuffled}) {
    // It throws where the core's counters are not those of the rule.
    const CoreFigures figures = run_core(1000, order, 30'000);
    CHECK(figures.heartbeats == 30 * 990);
    CHECK(figures.bytes_per_client > 0);
  }
}
