#include "daemon/core/history.h"

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using enum Moment::Kind;

// The kinds of moments that the client has, the oldest first.
std::vector<Moment::Kind> kinds(const Client& client) {
  std::vector<Moment::Kind> all;
  if (client.history == nullptr) return all;
  for (const Moment& moment : client.history->oldest_first()) all.push_back(moment.kind);
  return all;
}

using Kinds = std::vector<Moment::Kind>;

}  // namespace

TEST_CASE("as many moments as said are kept; one past it the oldest gap makes room") {
  History history;
  history.add({.at = t0, .kind = Connected});
  history.add({.at = t0 + 1s, .kind = Gap});
  for (std::size_t count = 2; count < limits::kMomentsMax; ++count)
    history.add({.at = t0 + 2s, .kind = Struck});
  CHECK(history.oldest_first().size() == limits::kMomentsMax);
  CHECK(history.forgotten() == 0);

  history.add({.at = t0 + 3s, .kind = Left});
  CHECK(history.oldest_first().size() == limits::kMomentsMax);
  CHECK(history.forgotten() == 1);
  CHECK(history.oldest_first()[0].kind == Connected);
  CHECK(history.oldest_first()[1].kind == Struck);
  CHECK(history.oldest_first().back().kind == Left);

  history.add({.at = t0 + 4s, .kind = Returned});  // no gap is left: the oldest goes
  CHECK(history.oldest_first()[0].kind == Struck);
  CHECK(history.forgotten() == 2);
}

TEST_CASE("a client that beats in every tick has no history") {
  Fleet fleet{{.rule = {.tick = 1s}}};
  const Peer pump = fleet.join(t0, "pump-7");
  for (int second = 1; second <= 100; ++second) pump.beat(t0 + second * 1s + second % 10 * 99ms);
  CHECK(pump.client().history == nullptr);
}

TEST_CASE("a gap is told in whole silent ticks, to the millisecond") {
  const auto gap = [](Millis last, Millis next) {
    Fleet fleet{{.rule = {.tick = 1s}}};
    const Peer pump = fleet.join(t0);
    pump.beat(t0 + last);
    pump.beat(t0 + next);
    const Client& client = pump.client();
    return client.history == nullptr ? 0 : client.history->oldest_first().back().ticks;
  };
  CHECK(gap(0ms, 1999ms) == 0);
  CHECK(gap(0ms, 2000ms) == 1);
  CHECK(gap(999ms, 1999ms) == 0);
  CHECK(gap(999ms, 2000ms) == 1);
  CHECK(gap(1000ms, 2999ms) == 0);
  CHECK(gap(1000ms, 3000ms) == 1);
  CHECK(gap(999ms, 3000ms) == 2);
}

TEST_CASE("an accept is no heartbeat: the ticks before the first one were silent") {
  Fleet fleet{{.rule = {.tick = 1s}}};
  const Peer at_once = fleet.connect(t0);
  const Peer late = fleet.connect(t0);
  at_once.beat(t0 + 999ms);
  late.beat(t0 + 2s);
  CHECK(kinds(at_once.client()) == Kinds{});
  REQUIRE(kinds(late.client()) == Kinds{Connected, Gap});
  CHECK(late.client().history->oldest_first().back().ticks == 2);
  CHECK(late.client().history->oldest_first().back().silent == 2s);
}

TEST_CASE("a history tells the whole story, over a takeover and a close") {
  Fleet fleet{{.rule = {.tick = 1s, .leave_timeout = 30s}}};
  static_cast<void>(fleet.join(t0, "pump-7"));
  fleet.advance(t0 + 16s);
  const Peer second = fleet.join(t0 + 17s, "pump-7");
  CHECK(kinds(second.client()) == Kinds{Connected, Struck, Struck, Struck, Left, TakenOver});
  fleet.advance(t0 + 46s);
  REQUIRE(second.was_closed());
  const Peer third = fleet.join(t0 + 50s, "pump-7");
  CHECK(kinds(third.client()) ==
        Kinds{Connected, Struck, Struck, Struck, Left, TakenOver, Closed, Connected, Left});
  const auto moments = third.client().history->oldest_first();
  CHECK(moments[0].peer == Fleet::peer_at(40001));
  CHECK(moments[5].peer == Fleet::peer_at(40002));
  CHECK(moments[6].reason == Reason::Silent);
  CHECK(moments[7].peer == Fleet::peer_at(40003));
  CHECK(moments[8].reason == Reason::Remembered);
}
