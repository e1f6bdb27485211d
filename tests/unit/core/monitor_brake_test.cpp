// What the brake on mass closing does to a fleet.  closing_brake_test.cpp has when it takes hold.
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/support/bytes.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using Kind = Event::Kind;

// Strikes after two silent ticks, leave after one strike: a client heard at its accept leaves 3 s after it.
constexpr Rule kRule{.tick = 1s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 30s};
constexpr ClosingBrake::Settings kBrake{.share_percent = 50, .clients_min = 20, .window = 10s, .pause = 12s};
const Settings kSettings{.rule = kRule, .brake = kBrake};

constexpr MonoTime kLeft = t0 + 3s;
constexpr MonoTime kDue = kLeft + 30s;   // without a brake
constexpr MonoTime kUntil = kDue + 12s;  // with one

std::vector<Peer> join(Fleet& fleet, int count, MonoTime at) {
  std::vector<Peer> peers;
  for (int client = 0; client < count; ++client) {
    peers.push_back(fleet.join(at, "c" + std::to_string(at == t0 ? client : 1000 + client)));
  }
  return peers;
}

std::size_t closed(const std::vector<Peer>& peers) {
  return static_cast<std::size_t>(
      std::count_if(peers.begin(), peers.end(), [](const Peer& peer) { return peer.was_closed(); }));
}

// Beats to each second from `from` up to and including `to`.
void keep_alive(Fleet& fleet, const std::vector<Peer>& peers, MonoTime from, MonoTime to) {
  for (MonoTime at = from; at <= to; at += 1s) {
    fleet.advance(at);
    for (const Peer& peer : peers) peer.beat(at);
  }
}

}  // namespace

TEST_CASE("a whole fleet that falls silent is not closed at once but at the end of the pause") {
  Fleet fleet{kSettings};
  const auto peers = join(fleet, 20, t0);
  fleet.advance(kDue - 1ms);
  CHECK(fleet.monitor().status_counts() == StatusCounts{.alive = 0, .leave = 20, .braked = false});

  fleet.advance(kDue);
  CHECK(closed(peers) == 0);
  CHECK(fleet.monitor().status_counts().braked);
  const Event& braked = fleet.last(Kind::Braked);
  CHECK(braked.at == kDue);
  CHECK(braked.extra->brake->span.until == kUntil);
  CHECK(braked.extra->brake->span.concerned == 20);

  fleet.advance(kUntil - 1ms);
  CHECK(closed(peers) == 0);
  fleet.advance(kUntil);
  CHECK(closed(peers) == 20);
  CHECK(fleet.last(Kind::BrakeEnded).at == kUntil);
  CHECK(fleet.last(Kind::BrakeEnded).extra->brake->held == 20);
  const Event& close = fleet.last(Kind::Closed);
  CHECK(close.at == kUntil);
  CHECK(close.reason == Reason::Silent);
  CHECK(close.extra->detail == "held for 12 s by the brake on mass closing");
  CHECK(fleet.monitor().next_deadline() == MonoTime::never());
}

TEST_CASE("one fewer than the minimum is closed when it is due") {
  Fleet fleet{kSettings};
  const auto peers = join(fleet, 19, t0);
  fleet.advance(kDue);
  CHECK(closed(peers) == 19);
  CHECK(fleet.last(Kind::Closed).extra->detail.empty());
}

TEST_CASE("half of the fleet is closed when it is due, one more is held") {
  for (const int silent : {20, 21}) {
    CAPTURE(silent);
    Fleet fleet{kSettings};
    const auto peers = join(fleet, silent, t0);
    const auto others = join(fleet, 40 - silent, t0 + 500ms);
    keep_alive(fleet, others, t0 + 1s, kDue);
    CHECK(closed(peers) == (silent == 20 ? 20U : 0U));
    CHECK(closed(others) == 0);
  }
}

TEST_CASE("jumping over the whole story tells it as step by step would") {
  Fleet jump{kSettings};
  Fleet step{kSettings};
  join(jump, 25, t0);
  join(step, 25, t0);
  for (MonoTime at = t0; at <= kUntil; at += 500ms) step.advance(at);
  jump.advance(kUntil);
  CHECK(jump.told() == step.told());
  CHECK(jump.closes(Reason::Silent) == 25);
}

TEST_CASE("a heartbeat that is read late counts as of just before what the brake has to decide") {
  Fleet fleet{kSettings};
  const auto peers = join(fleet, 20, t0);
  fleet.advance(kDue - 1ms);
  peers[7].beat(kDue + 1s);  // its leave has run out, and no client has been judged
  CHECK(peers[7].client().last_heard == kDue - 1ms);
  fleet.advance(kDue + 1s);
  CHECK(closed(peers) == 0);
  CHECK(fleet.last(Kind::Braked).at == kDue);
  CHECK(peers[7].client().liveness.status() == Status::Leave);
}

TEST_CASE(
    "a client that is heard again in the pause returns by the rule, and is not closed with the others") {
  Fleet fleet{kSettings};
  const auto peers = join(fleet, 20, t0);
  fleet.advance(kDue);
  peers[3].beat(kDue + 100ms);
  peers[3].beat(kDue + 1100ms);
  CHECK(fleet.told(kDue + 2s) == Words{"return c3 steady"});
  keep_alive(fleet, {peers[3]}, kDue + 2s, kUntil + 1s);
  CHECK(closed(peers) == 19);
  CHECK(fleet.last(Kind::BrakeEnded).extra->brake->held == 19);
}

TEST_CASE("leave is not delayed, and neither is a close for another reason") {
  Fleet fleet{kSettings};
  const auto silent = join(fleet, 30, t0);
  fleet.advance(kDue - 500ms);
  fleet.join(kDue - 500ms, "late");
  fleet.advance(kDue);
  REQUIRE(fleet.monitor().brake().holds());
  CHECK(fleet.told(kDue + 2500ms) == Words{"strike late", "leave late silent"});
  silent[0].say(kDue + 3s, {.status = Status::Close});
  CHECK(fleet.closes(Reason::Goodbye) == 1);
  silent[1].disconnect(kDue + 3s);
  CHECK(fleet.closes(Reason::PeerClosed) == 1);
  CHECK(fleet.kick("c2", "", kDue + 3s));
}

TEST_CASE("who declared its leave itself neither counts nor waits") {
  Fleet fleet{kSettings};
  const auto silent = join(fleet, 19, t0);
  const auto away = join(fleet, 19, t0 + 3s);
  for (const Peer& peer : away) peer.say(t0 + 3s, {.status = Status::Leave});
  fleet.advance(kDue);
  CHECK(fleet.closes(Reason::Silent) == 19);
  CHECK(fleet.closes(Reason::Away) == 19);

  Fleet braked{kSettings};
  join(braked, 25, t0);
  const Peer declared = braked.join(t0 + 3s, "declared");
  declared.say(t0 + 3s, {.status = Status::Leave});
  braked.advance(kDue);
  REQUIRE(braked.monitor().brake().holds());
  CHECK(declared.was_closed());
  CHECK(braked.closes(Reason::Silent) == 0);
}

TEST_CASE("who returns at the very instant at which its leave ends does not count") {
  Fleet fleet{kSettings};
  auto peers = join(fleet, 20, t0);
  fleet.advance(kDue - 2s);
  peers[0].beat(kDue - 2s);
  peers[0].beat(kDue - 1s);
  fleet.advance(kDue);
  CHECK(fleet.closes(Reason::Silent) == 19);
  CHECK(peers[0].client().liveness.status() == Status::Alive);
}

TEST_CASE("an operator who confirms closes those that wait; the others end when they are due") {
  Fleet fleet{kSettings};
  const auto peers = join(fleet, 20, t0);
  const auto later = join(fleet, 5, t0 + 5s);
  CHECK_FALSE(fleet.end_brake(BrakeEnd::Confirmed, kDue - 1ms));
  fleet.advance(kDue);
  CHECK(fleet.end_brake(BrakeEnd::Confirmed, kDue + 2s) == 20U);
  CHECK(closed(peers) == 20);
  CHECK(fleet.last(Kind::Closed).at == kDue + 2s);
  CHECK(fleet.last(Kind::BrakeEnded).extra->brake->span.end == BrakeEnd::Confirmed);
  CHECK_FALSE(fleet.end_brake(BrakeEnd::Confirmed, kDue + 2s));
  fleet.advance(kDue + 5s - 1ms);
  CHECK(closed(later) == 0);
  fleet.advance(kDue + 5s);
  CHECK(closed(later) == 5);
}

TEST_CASE("an operator who releases gives everybody in leave a new leave period") {
  Fleet fleet{kSettings};
  const auto peers = join(fleet, 20, t0);
  const auto later = join(fleet, 5, t0 + 5s);
  fleet.advance(kDue);
  CHECK(fleet.end_brake(BrakeEnd::Released, kDue + 2s) == 25U);
  CHECK(closed(peers) == 0);
  CHECK(peers[0].client().history->oldest_first().back().kind == Moment::Kind::Renewed);
  keep_alive(fleet, later, kDue + 3s, kDue + 31s);
  CHECK(closed(peers) == 0);
  // Still silent, they are a mass again: an operator's release is no reason to close them unlooked at.
  fleet.advance(kDue + 32s);
  CHECK(fleet.monitor().brake().times_held() == 2);
  CHECK(fleet.monitor().brake().spans().back().from == kDue + 32s);
  fleet.advance(kDue + 32s + 12s);
  CHECK(closed(peers) == 20);
  CHECK(closed(later) == 0);
}

TEST_CASE("after its pause the brake cannot take hold again for the same clients") {
  Fleet fleet{kSettings};
  const auto peers = join(fleet, 20, t0);
  // These leave while the brake holds, and end after it: one millisecond before its end, and at it.
  fleet.advance(kUntil - 3s - 1ms);
  const auto before = join(fleet, 20, kUntil - 3s - 1ms);
  fleet.advance(kUntil);
  CHECK(closed(peers) == 20);
  fleet.advance(kUntil - 1ms + 30s);
  CHECK(closed(before) == 20);
  CHECK(fleet.monitor().brake().times_held() == 1);

  Fleet again{kSettings};
  join(again, 20, t0);
  again.advance(kUntil - 3s);
  const auto at_end = join(again, 20, kUntil - 3s);
  again.advance(kUntil + 30s);
  CHECK(closed(at_end) == 0);
  CHECK(again.monitor().brake().times_held() == 2);
}

TEST_CASE("what the clients concerned have in common is told") {
  Fleet fleet{kSettings};
  join(fleet, 10, t0);
  join(fleet, 10, t0 + 700ms);
  fleet.advance(kDue);
  const BrakeReport& brake = *fleet.last(Kind::Braked).extra->brake;
  CHECK(brake.subnet == "10.0.0.1");
  CHECK_FALSE(brake.listener);  // the listeners of the connections are not known
  CHECK(brake.heard_first == t0);
  CHECK(brake.heard_last == t0 + 700ms);
}

TEST_CASE("one listener for all is told, two are not") {
  const Endpoint one{.address = {127, 0, 0, 1}, .port = 14000};
  const Endpoint other{.address = {127, 0, 0, 1}, .port = 14001};
  for (const bool same : {true, false}) {
    Monitor monitor{kSettings};
    Effects effects;
    for (std::uint16_t client = 0; client < 20; ++client) {
      const Endpoint& listener = same || client < 19 ? one : other;
      const auto conn = monitor.open(Fleet::peer_at(client), t0, effects, {.listener = listener});
      monitor.receive(*conn, framed(encode({.ip = "10.0.0.1"})), t0, effects);
    }
    while (monitor.advance(kDue, effects)) {
    }
    REQUIRE(monitor.last_brake() != nullptr);
    CHECK(monitor.last_brake()->listener == (same ? std::optional{one} : std::nullopt));
  }
}

TEST_CASE("a takeover in the pause keeps the client's place among those that wait") {
  Fleet fleet{kSettings};
  join(fleet, 20, t0);
  fleet.advance(kDue);
  const Peer again = fleet.join(kDue + 1s, "c5");
  CHECK(again.client().liveness.status() == Status::Leave);
  CHECK(fleet.monitor().brake().waiting(kDue + 1s) == 20);
  fleet.advance(kUntil);
  CHECK(again.was_closed());
  CHECK(fleet.closes(Reason::Silent) == 20);
}

TEST_CASE("a reload without a brake closes those that wait; one with a shorter pause closes them then") {
  for (const bool off : {true, false}) {
    CAPTURE(off);
    Fleet fleet{kSettings};
    const auto peers = join(fleet, 20, t0);
    fleet.advance(kDue);
    Settings changed = kSettings;
    if (off) {
      changed.brake.share_percent = 0;
    } else {
      changed.brake.pause = 5s;
    }
    fleet.change_settings(changed, kDue + 1s);
    fleet.advance(kDue + 5s - 1ms);
    CHECK(closed(peers) == (off ? 20U : 0U));
    fleet.advance(kDue + 5s);
    CHECK(closed(peers) == 20);
    CHECK(fleet.last(Kind::Closed).at == (off ? kDue + 1s : kDue + 5s));
    CHECK(fleet.last(Kind::BrakeEnded).extra->brake->span.end ==
          (off ? BrakeEnd::TurnedOff : BrakeEnd::RanOut));
  }
}

TEST_CASE("a reload without a brake closes those that wait at once, also where it changes their rule") {
  for (const Rule& rule :
       {Rule{.tick = 2s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 30s},
        Rule{.tick = 1s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 20s},
        Rule{.tick = 1s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 90s}}) {
    CAPTURE(rule.leave_timeout.count());
    Fleet fleet{kSettings};
    const auto peers = join(fleet, 20, t0);
    fleet.advance(kDue);
    Settings changed = kSettings;
    changed.brake.share_percent = 0;
    changed.rule = rule;
    fleet.change_settings(changed, kDue + 1500ms);
    fleet.advance(kDue + 1500ms);
    CHECK(closed(peers) == 20);
    CHECK(fleet.last(Kind::Closed).at == kDue + 1500ms);
  }
}

TEST_CASE("a reload of the rule while it holds closes nobody by itself") {
  Fleet fleet{kSettings};
  const auto peers = join(fleet, 20, t0);
  fleet.advance(kDue);
  Settings changed = kSettings;
  changed.rule.leave_timeout = 20s;
  fleet.change_settings(changed, kDue + 1s);
  CHECK(closed(peers) == 0);
  fleet.advance(kUntil - 1ms);
  CHECK(closed(peers) == 0);
  fleet.advance(kUntil);
  CHECK(closed(peers) == 20);
}

TEST_CASE("a shutdown does not wait for the brake") {
  Fleet fleet{kSettings};
  join(fleet, 20, t0);
  fleet.advance(kDue);
  fleet.shut_down(kDue + 1s);
  CHECK(fleet.closes(Reason::Shutdown) == 20);
}
