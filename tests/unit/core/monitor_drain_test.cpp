// A drain: clients go elsewhere at a rate, and new ones are not taken.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/limits.h"
#include "common/message.h"
#include "daemon/core/saved_state.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using Kind = Event::Kind;

constexpr Rule kRule{.tick = 1s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 10s};
constexpr DrainOrder kTenASecond{.rate = 10, .retry_after = 4s, .uid = 1000};

Settings settings() {
  return {.rule = kRule, .brake = {.share_percent = 0}};
}

Words words_until(Fleet& fleet, MonoTime at) {
  fleet.advance(at);
  return fleet.told();
}

// The `retry_after_ms` of a notice of close, checked for its reason; nothing where it has none.
std::optional<std::uint64_t> pause_in(const std::string& body) {
  const auto frame = parse_server_frame(body);
  REQUIRE(frame);
  CHECK(frame->status == "close");
  CHECK(frame->reason == "drained");
  return frame->retry_after_ms;
}

}  // namespace

TEST_CASE("a drain closes one client after the other, a second divided by the rate apart") {
  Fleet fleet{settings()};
  for (const char* const id : {"pump-1", "pump-2", "pump-3"}) fleet.join(t0, id);
  static_cast<void>(fleet.told());
  fleet.order_drain(kTenASecond, t0);
  CHECK(fleet.told() == Words{"drain "});
  CHECK(words_until(fleet, t0) == Words{"close pump-1 drained"});
  CHECK(words_until(fleet, t0 + 99ms) == Words{});
  CHECK(fleet.told(t0 + 100ms) == Words{"close pump-2 drained"});
  CHECK(words_until(fleet, t0 + 199ms) == Words{});
  CHECK(fleet.told(t0 + 200ms) == Words{"close pump-3 drained"});
  CHECK(fleet.last(Kind::Closed).by == Party::Operator);
  CHECK(fleet.closes(Reason::Drained) == 3);
  CHECK(fleet.told(t0 + 300ms) == Words{"drain_complete "});
  CHECK(fleet.last(Kind::DrainComplete).extra->detail ==
        "3 clients were drained in 300 ms, and new ones are refused");
  CHECK(fleet.monitor().next_deadline() == MonoTime::never());
}

TEST_CASE("a client that asked for notices is sent the reason and a pause, any other only the end") {
  Fleet fleet{settings()};
  const Peer listens = fleet.connect(t0);
  listens.say(t0, {.id = "pump-1", .notify = true});
  const Peer anonymous = fleet.join(t0);
  static_cast<void>(listens.received());
  fleet.order_drain(kTenASecond, t0);
  fleet.advance(t0);
  fleet.advance(t0 + 100ms);
  const Words frames = listens.received();
  REQUIRE(frames.size() == 1);
  CHECK(frames.front() == R"({"type":"status","status":"close","reason":"drained","retry_after_ms":4000})");
  CHECK(anonymous.received().empty());
  CHECK(anonymous.was_closed());
}

TEST_CASE("the pauses are spread evenly from the one that was ordered to twice that") {
  Fleet fleet{settings()};
  constexpr std::size_t kPeers = 200;
  std::vector<Peer> peers;
  for (std::size_t peer = 0; peer < kPeers; ++peer) {
    peers.push_back(fleet.connect(t0));
    peers.back().say(t0, {.notify = true});
    static_cast<void>(peers.back().received());
  }
  fleet.order_drain({.rate = limits::kDrainRateMax, .retry_after = 10s}, t0);
  fleet.advance(t0 + 50ms);
  std::array<std::size_t, 10> tenths{};
  for (const Peer& peer : peers) {
    const Words frames = peer.received();
    REQUIRE(frames.size() == 1);
    const auto pause = pause_in(frames.front());
    REQUIRE(pause);
    REQUIRE(*pause >= 10'000);
    REQUIRE(*pause < 20'000);
    ++tenths.at((*pause - 10'000) / 1000);
  }
  for (const std::size_t tenth : tenths) {
    CHECK(tenth >= 18);
    CHECK(tenth <= 22);
  }
}

TEST_CASE("without a pause the notice has none") {
  Fleet fleet{settings()};
  const Peer peer = fleet.connect(t0);
  peer.say(t0, {.notify = true});
  static_cast<void>(peer.received());
  fleet.order_drain({.rate = 1, .retry_after = 0s}, t0);
  fleet.advance(t0);
  const Words frames = peer.received();
  REQUIRE(frames.size() == 1);
  CHECK_FALSE(pause_in(frames.front()));
}

TEST_CASE("a new client is sent elsewhere at its first heartbeat, and so is one that had not spoken") {
  Fleet fleet{settings()};
  const Peer mute = fleet.connect(t0);
  fleet.order_drain(kTenASecond, t0);
  static_cast<void>(words_until(fleet, t0 + 1s));
  CHECK_FALSE(mute.was_closed());
  static_cast<void>(fleet.told());
  mute.say(t0 + 1s, {.notify = true});
  CHECK(mute.was_closed());
  CHECK(fleet.told() == Words{"close 10.0.0.1:40001 drained"});
  const Peer newcomer = fleet.connect(t0 + 2s);
  newcomer.say(t0 + 2s, {.id = "pump-9", .notify = true});
  CHECK(fleet.told() == Words{"connected 10.0.0.1:40002", "close 10.0.0.1:40002 drained"});
  const Words frames = newcomer.received();
  REQUIRE(frames.size() == 1);
  CHECK(pause_in(frames.front()));
  CHECK(fleet.counters().joins == 0);
  CHECK(fleet.monitor().clients().size() == 0);
  for (std::size_t more = 0; more < 2 * kRefusedAlike; ++more) fleet.join(t0 + 3s);
  // None was drained from here, and no operator has to look at their address.
  CHECK(fleet.monitor().drain()->drained() == 0);
  CHECK(fleet.monitor().conditions().count(Condition::Kind::RefusedAgain) == 0);
}

TEST_CASE("a program that connects again before its turn is drained with the connection that it left") {
  Fleet fleet{settings()};
  const Peer first = fleet.join(t0, "pump-1");
  const Peer second = fleet.join(t0, "pump-2");
  fleet.order_drain({.rate = 1}, t0);
  fleet.advance(t0);
  CHECK(first.was_closed());
  static_cast<void>(fleet.told());
  fleet.join(t0 + 1ms, "pump-2");
  CHECK(second.was_closed());
  CHECK(fleet.told() ==
        Words{"connected 10.0.0.1:40003", "close pump-2 drained", "close 10.0.0.1:40003 drained"});
  CHECK(fleet.monitor().drain()->drained() == 2);
  CHECK(fleet.told(t0 + 1s) == Words{"drain_complete "});
}

TEST_CASE("a client without a right to its id is refused for that, also while the daemon drains") {
  Fleet fleet{settings()};
  fleet.order_drain(kTenASecond, t0);
  const Peer peer = fleet.connect(t0);
  peer.send_body(t0, R"({"ip":"10.0.0.1","status":"asleep"})");
  CHECK(fleet.closes(Reason::BadHeartbeat) == 1);
  CHECK(fleet.closes(Reason::Drained) == 0);
}

TEST_CASE("a drain lasts when no client is left, and ends by an order: then clients are taken") {
  Fleet fleet{settings()};
  fleet.join(t0, "pump-1");
  CHECK_FALSE(fleet.end_drain(t0));
  fleet.order_drain(kTenASecond, t0);
  fleet.advance(t0);
  fleet.advance(t0 + 10min);
  CHECK(fleet.monitor().drain()->is_complete());
  CHECK(fleet.monitor().conditions().lasts(Condition::Kind::Drain, {}, t0 + 10min));
  static_cast<void>(fleet.told());
  CHECK(fleet.end_drain(t0 + 10min) == 1);
  CHECK(fleet.told() == Words{"drain "});
  const Event& ended = fleet.last(Kind::Drain);
  CHECK(ended.extra->condition->phase == Phase::Ended);
  CHECK(ended.extra->condition->count == 1);
  CHECK(ended.extra->condition->since == t0);
  CHECK(ended.extra->detail == "ended by uid 1000");
  CHECK(fleet.monitor().drain() == nullptr);
  const Peer back = fleet.join(t0 + 10min, "pump-1");
  CHECK_FALSE(back.was_closed());
}

TEST_CASE("a drain that is ended half-way leaves the others where they are") {
  Fleet fleet{settings()};
  fleet.join(t0, "pump-1");
  const Peer stays = fleet.join(t0, "pump-2");
  fleet.order_drain(kTenASecond, t0);
  fleet.advance(t0 + 99ms);
  CHECK(fleet.end_drain(t0 + 99ms) == 1);
  fleet.advance(t0 + 500ms);
  CHECK_FALSE(stays.was_closed());
}

TEST_CASE("the condition says the rate and who ordered it, and is reported once an hour") {
  Fleet fleet{settings()};
  fleet.join(t0, "pump-1");
  fleet.order_drain(kTenASecond, t0);
  CHECK(fleet.last(Kind::Drain).extra->detail == "at 10 clients a second, ordered by uid 1000");
  CHECK(fleet.last(Kind::Drain).extra->condition->phase == Phase::Began);
  CHECK(fleet.last(Kind::Drain).extra->condition->count == 0);
  fleet.advance(t0 + 1s);
  static_cast<void>(fleet.told());
  // Another rate is no other drain.
  fleet.order_drain({.rate = 20, .uid = 1001}, t0 + 2s);
  CHECK(fleet.told().empty());
  fleet.review(t0 + 1h);
  CHECK(fleet.last(Kind::Drain).extra->condition->phase == Phase::Lasts);
  CHECK(fleet.last(Kind::Drain).extra->condition->count == 1);
  CHECK(fleet.last(Kind::Drain).extra->detail == "at 20 clients a second, ordered by uid 1001");
}

TEST_CASE("another rate holds from its order on, and the walk goes on where it was") {
  Fleet fleet{settings()};
  for (const char* const id : {"pump-1", "pump-2", "pump-3", "pump-4"}) fleet.join(t0, id);
  fleet.order_drain({.rate = 1}, t0);
  fleet.advance(t0);
  static_cast<void>(fleet.told());
  fleet.order_drain({.rate = 4}, t0 + 500ms);
  CHECK(words_until(fleet, t0 + 500ms) == Words{"close pump-2 drained"});
  CHECK(words_until(fleet, t0 + 749ms) == Words{});
  CHECK(fleet.told(t0 + 750ms) == Words{"close pump-3 drained"});
}

TEST_CASE("a daemon that is late makes up for a tenth of a second, and not for a millisecond more") {
  for (const Millis late : {limits::kDrainLagMax, limits::kDrainLagMax + 1ms}) {
    CAPTURE(late);
    Fleet fleet{settings()};
    for (int client = 0; client < 500; ++client) fleet.join(t0);
    // Turns come at t0, t0 + 1 ms and so on.
    fleet.order_drain({.rate = 1000}, t0);
    fleet.advance(t0);
    CHECK(fleet.closes(Reason::Drained) == 1);
    fleet.advance(t0 + 1ms + late);
    CHECK(fleet.closes(Reason::Drained) == (late == limits::kDrainLagMax ? 1U + 101U : 2U));
    // What is longer is not made up for at all.
    const std::uint64_t before = fleet.closes(Reason::Drained);
    fleet.advance(t0 + 900ms);
    CHECK(fleet.closes(Reason::Drained) == before + 1);
  }
}

TEST_CASE(
    "what the rule decides comes before the drain: a leave that ends in that instant is a close for "
    "silence") {
  Fleet fleet{settings()};
  fleet.join(t0, "pump-1");
  fleet.advance(t0 + 13s - 1ms);
  static_cast<void>(fleet.told());
  fleet.order_drain(kTenASecond, t0 + 13s - 1ms);
  static_cast<void>(fleet.told());
  SUBCASE("one late turn finds both due") {
    CHECK(fleet.told(t0 + 13s) == Words{"close pump-1 silent", "drain_complete "});
  }
  SUBCASE("a millisecond before, it is drained") {
    CHECK(words_until(fleet, t0 + 13s - 1ms) == Words{"close pump-1 drained"});
    CHECK(fleet.last(Kind::Closed).from == Status::Leave);
  }
}

TEST_CASE("a drain outlasts a restart, with its pace and its place") {
  Fleet fleet{settings()};
  for (const char* const id : {"pump-1", "pump-2", "pump-3"}) fleet.join(t0, id);
  fleet.order_drain({.rate = 1, .retry_after = 4s, .uid = 1000}, t0);
  fleet.advance(t0);
  static_cast<void>(fleet.told());
  fleet.restart();
  CHECK(words_until(fleet, t0 + 1s - 1ms) == Words{});
  CHECK(fleet.told(t0 + 1s) == Words{"close pump-2 drained"});
  CHECK(fleet.monitor().drain()->order().uid == 1000);
  CHECK(fleet.monitor().drain()->drained() == 2);
  fleet.join(t0 + 1s, "pump-9");
  CHECK(fleet.closes(Reason::Drained) == 3);
}

TEST_CASE("a saved drain with an impossible rate is refused") {
  for (const unsigned rate : {0U, limits::kDrainRateMax, limits::kDrainRateMax + 1}) {
    CAPTURE(rate);
    MonitorState state{settings()};
    state.drain.emplace(DrainOrder{.rate = rate}, t0);
    const Feed feed;
    const Turn::State turn{};
    const std::string saved =
        save_state({.monitor = state, .turn = turn, .feed = feed, .run = "r", .others = {}});
    CHECK(restore_state(saved, {}).has_value() == (rate == limits::kDrainRateMax));
  }
}
