// What the rule means for clients on real networks: with fixed seeds, so that these are facts and not
// chances.
#include <random>

#include <doctest/doctest.h>

#include "daemon/core/liveness.h"
#include "tests/unit/support/changes.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

constexpr Rule kDefaults;
constexpr Millis kInterval = 10s;

// 0 to 1, the same on every machine (the standard's distributions are not).
double chance(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11U) * 0x1.0p-53;
}

struct Network {
  double jitter = 0;  // of the interval, either way
  double loss = 0;    // of the beats
};

struct Outcome {
  int strikes = 0;
  int leaves = 0;
  std::optional<Millis> first_leave;  // after the accept
};

// Clients one after the other, each of which beats every 10 s until it leaves, for so long in all.
Outcome live(const Network& network, Millis length) {
  std::mt19937_64 random{20'240'607};
  Outcome outcome;
  MonoTime accepted = t0;
  Liveness client{accepted};
  for (MonoTime now = t0 + kInterval / 2; now < t0 + length;) {
    for (const Change& change : changes_until(now, client, kDefaults)) {
      outcome.strikes += change.kind == Change::Kind::Struck ? 1 : 0;
      if (change.kind != Change::Kind::Left) continue;
      ++outcome.leaves;
      if (!outcome.first_leave) outcome.first_leave = change.at - accepted;
    }
    if (client.status() != Status::Alive) client = Liveness{accepted = now - kInterval / 2};
    if (chance(random) >= network.loss) client.heard();
    const double stretch = 1 + network.jitter * (2 * chance(random) - 1);
    now += Millis{static_cast<std::int64_t>(static_cast<double>(kInterval.count()) * stretch)};
  }
  return outcome;
}

}  // namespace

TEST_CASE("beats every 10 s with 5 % jitter are never a strike: 200 days") {
  CHECK(live({.jitter = 0.05}, 200 * 24h).strikes == 0);
}

TEST_CASE("a client that loses 20 % of its beats is struck, but does not leave: 200 days") {
  const Outcome outcome = live({.jitter = 0.05, .loss = 0.2}, 200 * 24h);
  CHECK(outcome.strikes > 0);
  CHECK(outcome.leaves == 0);
}

// As a Markov chain the rule gives these means exactly: 84 days at 30 %, 31 hours at 40 %, 1.9 hours at 50 %.
TEST_CASE("a client that loses 30 % of its beats leaves once in some months") {
  const Outcome outcome = live({.loss = 0.3}, 840 * 24h);
  CHECK(outcome.leaves >= 5);
  CHECK(outcome.leaves <= 20);
}

TEST_CASE("a client that loses half of its beats leaves within hours") {
  const Outcome outcome = live({.loss = 0.5}, 80 * 24h);
  CHECK(outcome.leaves >= 900);
  CHECK(outcome.leaves <= 1100);
  REQUIRE(outcome.first_leave);
  CHECK(*outcome.first_leave < 24h);
}
