// What an ordinary heartbeat costs.
#include <cstdlib>

#include <doctest/doctest.h>

#include "daemon/core/monitor.h"
#include "tests/unit/support/allocations.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// Blocks allocated while this connection beats a hundred times more, the effects being used again each time.
std::uint64_t allocated_by_beats(Monitor& monitor, ConnId conn, std::string_view bytes, MonoTime& now,
                                 Effects& effects) {
  const auto before = allocations_made();
  for (int beats = 0; beats < 100; ++beats) {
    now += 10s;
    monitor.receive(conn, bytes, now, effects);
    CHECK_FALSE(monitor.advance(now, effects));
    effects.clear();
  }
  return allocations_made() - before;
}

}  // namespace

TEST_CASE("an ordinary heartbeat allocates nothing on its whole way through the core") {
  Monitor monitor{{}};
  Effects effects;
  const auto conn = monitor.open(Fleet::peer_at(1), t0, effects);
  REQUIRE(conn);
  const Heartbeat heartbeat{.ip = "192.168.1.105", .id = "a client with an id of some length", .pid = 26464};
  MonoTime now = t0;
  for (const std::string& frame : {framed(encode(heartbeat)), framed(encode_twice(heartbeat))}) {
    monitor.receive(*conn, frame, now, effects);
    effects.clear();
    CHECK(allocated_by_beats(monitor, *conn, frame, now, effects) == 0);
  }
}

TEST_CASE("the counter sees what new and malloc give") {
  const auto before = allocations_made();
  const auto live = allocations_live();
  {
    const std::string longer_than_fits_inside(100, 'x');
    const auto held = allocations_live();
    CHECK(held == live + 1);
  }
  void* volatile block = std::malloc(10);
  std::free(block);
  CHECK(allocations_made() - before == 2);
  CHECK(allocations_live() == live);
}
