// A monitor made from the state of another goes on as that one would have: what it works out anew is right.
// heartbeat-sim --virtual does the same at random instants against the oracle.
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/core/turn.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using Kind = Event::Kind;

constexpr Rule kRule{.tick = 1s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 30s};
constexpr ClosingBrake::Settings kNoBrake{.share_percent = 0};
constexpr ClosingBrake::Settings kBrake{.share_percent = 50, .clients_min = 20, .window = 10s, .pause = 12s};
const Settings kSettings{.rule = kRule, .brake = kNoBrake};

// A heartbeat's frame cut in two.
std::pair<std::string, std::string> halves() {
  const std::string frame = framed(encode({.ip = "10.0.0.1"}));
  return {frame.substr(0, 20), frame.substr(20)};
}

}  // namespace

TEST_CASE("after a restart a silent client is judged at the instant at which it would have been") {
  Fleet fleet{kSettings};
  fleet.join(t0, "pump");
  fleet.advance(t0 + 1s);
  fleet.restart();
  CHECK(fleet.monitor().next_deadline() == t0 + 3s);
  CHECK(fleet.told(t0 + 3s) == Words{"strike pump", "leave pump silent"});
}

TEST_CASE("after a restart a client has its id, its address and its place among the counts") {
  Fleet fleet{kSettings};
  const Peer pump = fleet.join(t0, "pump");
  const Peer nameless = fleet.join(t0);
  const Peer away = fleet.join(t0, "away");
  away.say(t0, {.status = Status::Leave});
  fleet.restart();
  CHECK(fleet.monitor().status_counts() == StatusCounts{.alive = 2, .leave = 1, .braked = false});
  CHECK(fleet.kick("pump", "", t0 + 1ms));
  CHECK(pump.was_closed());
  CHECK(fleet.kick(to_string(nameless.client().peer), "", t0 + 1ms));
  CHECK(fleet.kick("away", "", t0 + 1ms));
  CHECK(fleet.monitor().status_counts() == StatusCounts{.alive = 0, .leave = 0, .braked = false});
}

TEST_CASE("after a restart the second half of a frame completes the first") {
  Fleet fleet{kSettings};
  const Peer pump = fleet.join(t0, "pump");
  const auto [first, second] = halves();
  pump.send(t0 + 1ms, first);
  fleet.restart();
  pump.send(t0 + 2ms, second);
  CHECK_FALSE(pump.was_closed());
  CHECK(pump.client().heartbeats == 2);
}

TEST_CASE("a restart does not extend the time in which a frame must be complete") {
  Fleet fleet{{.rule = kRule, .brake = kNoBrake, .bounds = {.frame_timeout = 500ms}}};
  const Peer pump = fleet.join(t0, "pump");
  pump.send(t0 + 1ms, halves().first);
  fleet.advance(t0 + 300ms);
  fleet.restart();
  CHECK(fleet.told(t0 + 500ms).empty());
  CHECK(fleet.told(t0 + 501ms) == Words{"close pump frame_timeout"});
}

TEST_CASE("after a restart addresses count as before, also in the middle of a change of their bound") {
  Settings settings{
      .rule = kRule, .newcomers_max = 0, .brake = kNoBrake, .bounds = {.max_clients_per_ip = 2}};
  Fleet fleet{settings};
  fleet.join(t0, "a");
  const Peer second = fleet.join(t0, "b");
  fleet.restart();
  CHECK_FALSE(fleet.try_connect(t0));
  second.disconnect(t0);
  CHECK(fleet.try_connect(t0));

  SUBCASE("counted no longer") {
    settings.bounds.max_clients_per_ip = 0;
  }
  SUBCASE("counted against another bound") {
    settings.bounds.max_clients_per_ip = 3;
  }
  Effects effects;
  fleet.monitor().change_settings(settings, t0, effects);  // and advance() has still to carry it out
  fleet.restart();
  fleet.advance(t0);
  CHECK(fleet.try_connect(t0));
  CHECK(fleet.try_connect(t0) == (settings.bounds.max_clients_per_ip == 0));
}

TEST_CASE("the brake takes hold, holds and ends as if there had been no restart") {
  Fleet fleet{{.rule = kRule, .brake = kBrake}};
  for (int client = 0; client < 20; ++client) fleet.join(t0, "c" + std::to_string(client));
  fleet.advance(t0 + 32s);
  fleet.restart();  // every client is in leave, and the brake counts the leaves
  fleet.advance(t0 + 33s);
  REQUIRE(fleet.monitor().status_counts().braked);
  CHECK(fleet.last(Kind::Braked).extra->brake->span.concerned == 20);
  fleet.restart();  // it holds
  fleet.advance(t0 + 45s - 1ms);
  CHECK(fleet.monitor().status_counts() == StatusCounts{.alive = 0, .leave = 20, .braked = true});
  fleet.restart();
  fleet.advance(t0 + 45s);
  CHECK(fleet.last(Kind::BrakeEnded).extra->brake->held == 20);
  CHECK(fleet.closes(Reason::Silent) == 20);
}

TEST_CASE("a client that is held back for its rate is read again after a restart") {
  Fleet fleet{{.rule = kRule, .brake = kNoBrake, .bounds = {.max_rate = 1}}};
  const Peer fast = fleet.join(t0, "fast");
  for (int beat = 0; beat < 100 && fast.is_read(); ++beat) fast.beat(t0);
  REQUIRE_FALSE(fast.is_read());
  fleet.restart();
  CHECK_FALSE(fast.is_read());
  fleet.advance(t0 + 500ms);  // half a tick is the longest
  CHECK(fast.is_read());
}

TEST_CASE("an order to every client goes on after a restart, and reaches each once") {
  Settings settings{.rule = kRule, .brake = kNoBrake};
  const SliceSize small{.clients = 3, .events = 3};
  Effects effects;
  Monitor monitor{settings, {}, small};
  for (std::uint16_t port = 1; port <= 20; ++port) {
    const auto conn = monitor.open(Fleet::peer_at(port), t0, effects);
    monitor.receive(*conn, framed(encode({.ip = "10.0.0.1"})), t0, effects);
  }
  const auto carry_on = [&](auto more) {
    int restarts = 0;
    for (; more(); ++restarts) monitor = Monitor{std::move(monitor).take_state(), small};
    return restarts;
  };

  settings.rule.tick = 400ms;
  monitor.change_settings(settings, t0 + 900ms, effects);
  CHECK(carry_on([&] { return monitor.advance(t0 + 900ms, effects); }) >= 6);
  for (std::uint32_t slot = 0; slot < 20; ++slot) {
    CHECK(monitor.clients().at(slot)->liveness.tick_start() == t0 + 800ms);
  }
  effects.clear();
  CHECK(carry_on([&] { return monitor.shut_down(t0 + 900ms, effects); }) >= 6);
  CHECK(monitor.clients().size() == 0);
  CHECK(effects.events().size() == 20);
}

TEST_CASE("what a restart takes is a stall, and as much of it counts as of any") {
  const Rule rule{.tick = 10s};
  Turn before{rule, t0};
  CHECK_FALSE(before.woke(t0 + 100ms));

  SUBCASE("short") {
    Turn turn{rule, before.state(), t0 + 150ms};
    CHECK(turn.next_poll(MonoTime::never()) == t0 + 150ms);  // at once
    CHECK_FALSE(turn.woke(t0 + 150ms));
    CHECK(turn.now() == t0 + 150ms);
    CHECK(turn.polled());
  }
  SUBCASE("long") {
    Turn turn{rule, before.state(), t0 + 5100ms};
    CHECK(turn.woke(t0 + 5100ms) == Millis{4000});
    CHECK(turn.settled_now() == t0 + 1100ms);
    CHECK(turn.now() == t0 + 600ms);
    CHECK_FALSE(turn.polled());
  }
  SUBCASE("in the middle of a stall before it") {
    CHECK(before.woke(t0 + 9100ms) == Millis{8000});
    Turn turn{rule, before.state(), t0 + 9100ms};
    CHECK(turn.now() == t0 + 600ms);
    CHECK(turn.settled_now() == t0 + 1100ms);
    CHECK_FALSE(turn.woke(t0 + 9100ms));
    for (unsigned poll = 0; poll < limits::kPollsAfterStall; ++poll) CHECK_FALSE(turn.polled());
    CHECK(turn.polled());
    CHECK(turn.now() == t0 + 1100ms);
  }
}
