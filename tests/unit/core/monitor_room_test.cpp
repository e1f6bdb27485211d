// Places at max_clients and max_clients_per_ip, and connections that a program has replaced by another.
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

// A client heard at its accept leaves 3 s after it.
constexpr Rule kRule{.tick = 1s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 60s};
constexpr ClosingBrake::Settings kNoBrake{.share_percent = 0};
constexpr MonoTime kLeft = t0 + 3s;

Settings with_places(std::size_t clients_max) {
  return {.rule = kRule, .clients_max = clients_max, .newcomers_max = 2, .brake = kNoBrake};
}

Endpoint from_address(std::uint8_t last, std::uint16_t port) {
  return {.address = {10, 0, 0, last}, .port = port};
}

Peer connect_from(Fleet& fleet, const Endpoint& from, MonoTime at) {
  REQUIRE(fleet.try_connect(at, from));
  const auto& clients = fleet.monitor().clients();
  for (std::uint32_t slot = 0; slot < clients.slots(); ++slot) {
    if (clients.at(slot) != nullptr && clients.at(slot)->peer == from) return {fleet, clients.conn_of(slot)};
  }
  FAIL("the connection that was taken is not among the clients");
  return {fleet, {}};
}

}  // namespace

TEST_CASE("at max_clients as many newcomers are let in as are allowed, and one more is refused at once") {
  Fleet fleet{with_places(1)};
  const Peer inside = fleet.join(t0, "inside");
  const Peer newcomer = fleet.connect(t0);
  CHECK(newcomer.client().is_newcomer);
  CHECK(fleet.try_connect(t0));
  CHECK_FALSE(fleet.try_connect(t0));
  CHECK(fleet.last(Kind::Refused).extra->detail == "1 clients are connected, which is the maximum");
  newcomer.disconnect(t0);
  CHECK(fleet.try_connect(t0));
  CHECK_FALSE(fleet.try_connect(t0));
  CHECK_FALSE(inside.was_closed());
}

TEST_CASE(
    "one address holds a quarter of the places for newcomers, and leaves the others to other addresses") {
  Settings settings = with_places(1);
  settings.newcomers_max = kNewcomersMax;
  Fleet fleet{settings};
  fleet.join(t0, "inside");
  std::uint16_t port = 1;
  for (std::size_t held = 0; held < kNewcomersPerAddressMax; ++held) {
    CHECK(fleet.try_connect(t0, from_address(66, port++)));
  }
  CHECK_FALSE(fleet.try_connect(t0, from_address(66, port)));
  fleet.restart();
  CHECK_FALSE(fleet.try_connect(t0, from_address(66, port)));
  CHECK(fleet.try_connect(t0, from_address(67, 1)));
  // A newcomer that has a place by now is none any more: its address may hold another one.
  fleet.advance(kLeft);
  const Peer back = fleet.connect(kLeft);
  back.say(kLeft, {.id = "back"});
  CHECK_FALSE(back.was_closed());
  CHECK(fleet.closes(Reason::GivenUp) == 1);
  for (std::size_t held = 0; held < kNewcomersPerAddressMax; ++held) {
    CHECK(fleet.try_connect(kLeft));
  }
  CHECK_FALSE(fleet.try_connect(kLeft));
}

TEST_CASE("a newcomer that names itself where nobody is dead is refused, counted and sent the reason") {
  Fleet fleet{with_places(1)};
  const Peer inside = fleet.join(t0, "inside");
  const Peer newcomer = fleet.connect(t0);
  newcomer.say(t0, {.id = "late", .notify = true});
  CHECK(newcomer.was_closed());
  CHECK(newcomer.received() == Words{R"({"type":"status","status":"close","reason":"limit",)"
                                     R"("detail":"1 clients are connected, which is the maximum"})"});
  CHECK(fleet.counters().refusals.at(static_cast<std::size_t>(Refusal::MaxClients)) == 1);
  CHECK(fleet.counters().refused == 1);
  CHECK_FALSE(inside.was_closed());
  CHECK(fleet.try_connect(t0));  // its place among the newcomers is free again
  CHECK(fleet.try_connect(t0));
}

TEST_CASE("a newcomer that takes over an id stays, and the connection that it takes it from makes room") {
  Fleet fleet{with_places(2)};
  const Peer old = fleet.join(t0, "pump");
  const Peer other = fleet.join(t0, "lamp");
  const Peer back = fleet.connect(t0 + 1s);
  back.say(t0 + 1s, {.id = "pump"});
  CHECK(old.was_closed());
  CHECK_FALSE(back.was_closed());
  CHECK_FALSE(back.client().is_newcomer);
  CHECK_FALSE(other.was_closed());
  CHECK(fleet.closes(Reason::GivenUp) == 0);
  const Peer third = fleet.join(t0 + 1s, "fan");
  CHECK(third.was_closed());
}

TEST_CASE("the connection that has been in leave the longest is given up for a newcomer") {
  Fleet fleet{with_places(3)};
  const Peer second = fleet.join(t0 + 1s, "second");
  const Peer first = fleet.join(t0, "first");
  const Peer alive = fleet.join(t0 + 2s, "alive");
  fleet.advance(kLeft + 1s);
  alive.beat(kLeft + 1s);
  static_cast<void>(fleet.told());
  fleet.join(kLeft + 1s, "new");
  CHECK(first.was_closed());
  CHECK_FALSE(second.was_closed());
  const Event& given_up = fleet.last(Kind::Closed);
  CHECK(given_up.reason == Reason::GivenUp);
  CHECK(given_up.by == Party::Daemon);
  CHECK(given_up.from == Status::Leave);
  CHECK(given_up.extra->detail ==
        "3 clients are connected, which is the maximum; its place went to a client from 10.0.0.1:40004");
  fleet.join(kLeft + 1s, "newer");
  CHECK(second.was_closed());
  const Peer refused = fleet.join(kLeft + 1s, "newest");
  CHECK(refused.was_closed());
  CHECK_FALSE(alive.was_closed());
  CHECK(fleet.closes(Reason::GivenUp) == 2);
}

TEST_CASE("a connection is not given up a millisecond before its leave, and is from the leave on") {
  Fleet fleet{with_places(1)};
  const Peer silent = fleet.join(t0, "silent");
  const Peer early = fleet.join(kLeft - 1ms, "early");
  CHECK(early.was_closed());
  CHECK_FALSE(silent.was_closed());
  fleet.advance(kLeft);
  const Peer in_time = fleet.join(kLeft, "in-time");
  CHECK_FALSE(in_time.was_closed());
  CHECK(silent.was_closed());
}

TEST_CASE("a client in leave that beats is never given up, however slowly it beats") {
  Fleet fleet{with_places(1)};
  const Peer slow = fleet.join(t0, "slow");
  for (MonoTime at = t0 + 10s; at <= t0 + 40s; at += 10s) {
    slow.beat(at);
    CHECK(slow.client().liveness.status() == Status::Leave);
    CHECK(fleet.join(at, "new").was_closed());
    CHECK(fleet.join(at + 9999ms, "new").was_closed());
  }
  // Three of its intervals without a heartbeat, and then it is dead.
  CHECK(fleet.join(t0 + 70s - 1ms, "new").was_closed());
  CHECK_FALSE(slow.was_closed());
  CHECK_FALSE(fleet.join(t0 + 70s, "new").was_closed());
  CHECK(slow.was_closed());
}

TEST_CASE("a client that says that it is in leave, and beats, is never given up") {
  Fleet fleet{with_places(1)};
  const Peer away = fleet.join(t0, "away");
  for (MonoTime at = t0 + 1s; at <= t0 + 10s; at += 1s) {
    away.say(at, {.status = Status::Leave});
    CHECK(fleet.join(at, "new").was_closed());
  }
  // Three of its intervals without a heartbeat.
  CHECK(fleet.join(t0 + 13s - 1ms, "new").was_closed());
  CHECK_FALSE(away.was_closed());
  CHECK_FALSE(fleet.join(t0 + 13s, "new").was_closed());
}

TEST_CASE("at max_clients_per_ip the connection that is given up is one of that address") {
  Settings settings = with_places(100);
  settings.bounds.max_clients_per_ip = 1;
  Fleet fleet{settings};
  REQUIRE(fleet.try_connect(t0, from_address(2, 1)));  // silent for longer, and from elsewhere
  const Peer old = fleet.join(t0 + 1s, "old");
  fleet.advance(kLeft + 1s);
  const Peer fresh = fleet.join(kLeft + 1s, "fresh");
  CHECK(old.was_closed());
  CHECK_FALSE(fresh.was_closed());
  CHECK(fleet.closes(Reason::GivenUp) == 1);
  CHECK(fleet.join(kLeft + 1s, "more").was_closed());
  CHECK(fleet.counters().refusals.at(static_cast<std::size_t>(Refusal::MaxClientsPerIp)) == 1);
}

TEST_CASE("a newcomer that says nothing is closed in time, also without a hello_timeout") {
  Settings settings = with_places(1);
  settings.bounds.hello_timeout = 0s;
  settings.rule.leave_timeout = 3600s;
  Fleet fleet{settings};
  const Peer inside = fleet.join(t0, "inside");
  const Peer newcomer = fleet.connect(t0);
  fleet.advance(t0 + 30s - 1ms);
  CHECK_FALSE(newcomer.was_closed());
  fleet.advance(t0 + 30s);
  CHECK(newcomer.was_closed());
  CHECK_FALSE(inside.was_closed());
}

TEST_CASE("newcomers and the order of the dead survive a restart") {
  Fleet fleet{with_places(2)};
  const Peer first = fleet.join(t0, "first");
  const Peer second = fleet.join(t0 + 1s, "second");
  const Peer newcomer = fleet.connect(t0 + 2s);
  fleet.advance(kLeft + 1s);
  fleet.restart();
  CHECK(fleet.try_connect(kLeft + 1s));
  CHECK_FALSE(fleet.try_connect(kLeft + 1s));
  newcomer.beat(kLeft + 1s);
  CHECK(first.was_closed());
  CHECK_FALSE(second.was_closed());
}

TEST_CASE("the brake does not count connections whose programs came back on others") {
  Fleet fleet{
      {.rule = kRule, .brake = {.share_percent = 50, .clients_min = 20, .window = 60s, .pause = 12s}}};
  constexpr int kPrograms = 30;
  std::vector<Peer> beating;
  MonoTime now = t0;
  for (int flap = 0; flap < 3; ++flap) {  // the first connections, and two link flaps
    beating.clear();
    for (int program = 0; program < kPrograms; ++program) beating.push_back(fleet.join(now));
    now += 1s;
    for (const Peer& peer : beating) peer.beat(now);
    now += 1s;
  }
  for (; now < t0 + 70s; now += 1s) {
    fleet.advance(now);
    for (const Peer& peer : beating) peer.beat(now);
  }
  CHECK(fleet.closes(Reason::Silent) == 2 * kPrograms);
  CHECK_FALSE(fleet.monitor().status_counts().braked);
  CHECK(fleet.monitor().status_counts().alive == kPrograms);
}

TEST_CASE("the brake takes its share of the clients that have not been replaced") {
  Fleet fleet{
      {.rule = kRule, .brake = {.share_percent = 50, .clients_min = 10, .window = 60s, .pause = 12s}}};
  // 16 of 30 clients fall silent; 14 old connections of the others are silent, too.
  for (int client = 0; client < 16; ++client) fleet.join(t0, "silent-" + std::to_string(client));
  for (int program = 0; program < 14; ++program) fleet.join(t0);
  std::vector<Peer> beating;
  for (int program = 0; program < 14; ++program) beating.push_back(fleet.join(t0 + 1s));
  for (MonoTime now = t0 + 2s; now <= kLeft + 60s; now += 1s) {
    fleet.advance(now);
    for (const Peer& peer : beating) peer.beat(now);
  }
  CHECK(fleet.monitor().status_counts().braked);
}

TEST_CASE("nor those whose programs came back when the old connections were in leave already") {
  Fleet fleet{
      {.rule = kRule, .brake = {.share_percent = 50, .clients_min = 20, .window = 60s, .pause = 12s}}};
  constexpr int kPrograms = 30;
  for (int program = 0; program < kPrograms; ++program) fleet.join(t0);
  fleet.advance(kLeft + 10s);
  CHECK(fleet.monitor().status_counts().leave == kPrograms);
  std::vector<Peer> beating;
  for (int program = 0; program < kPrograms; ++program) beating.push_back(fleet.join(kLeft + 10s));
  for (MonoTime now = kLeft + 11s; now < kLeft + 70s; now += 1s) {
    fleet.advance(now);
    for (const Peer& peer : beating) peer.beat(now);
    if (now == kLeft + 20s) fleet.restart();
  }
  CHECK(fleet.closes(Reason::Silent) == kPrograms);
  CHECK_FALSE(fleet.monitor().status_counts().braked);
}

TEST_CASE("a silent connection that its client used again may be replaced once it is silent again") {
  Fleet fleet{{.rule = kRule, .brake = kNoBrake}};
  const Peer old = fleet.join(t0);
  fleet.advance(kLeft);
  old.beat(kLeft + 1s);  // in leave
  const Peer fresh = fleet.join(kLeft + 1s + 1ms);
  CHECK(old.client().is_replaced);
  CHECK(fresh.client().has_replaced);
  for (int beat = 1; beat <= 3; ++beat) old.beat(kLeft + beat * 1s + 500ms);
  fleet.advance(kLeft + 5s);
  CHECK(old.client().liveness.status() == Status::Alive);
  CHECK_FALSE(old.client().is_replaced);
  CHECK_FALSE(old.client().is_listed);
}

TEST_CASE("the brake counts the silence of programs that have replaced their connections") {
  Fleet fleet{
      {.rule = kRule, .brake = {.share_percent = 50, .clients_min = 20, .window = 60s, .pause = 12s}}};
  constexpr int kPrograms = 20;
  for (int program = 0; program < kPrograms; ++program) fleet.join(t0);
  std::vector<Peer> fresh;
  for (int program = 0; program < kPrograms; ++program) fresh.push_back(fleet.join(t0 + 1s));
  for (const Peer& peer : fresh) peer.beat(t0 + 2s);
  fleet.advance(t0 + 2s + 3s + 60s);  // and then all are silent
  CHECK(fleet.monitor().status_counts().braked);
}

TEST_CASE("a connection that beats again counts as before, replaced or not") {
  Fleet fleet{{.rule = kRule, .brake = kNoBrake}};
  const Peer old = fleet.join(t0);
  const Peer fresh = fleet.join(t0 + 1s);
  fleet.advance(kLeft);
  CHECK(old.client().is_replaced);
  CHECK(fresh.client().has_replaced);
  old.beat(kLeft + 1s);
  CHECK_FALSE(old.client().is_replaced);
}

TEST_CASE("a program that came back before a restart, or comes back after it, has replaced its connection") {
  Fleet fleet{{.rule = kRule, .brake = kNoBrake}};
  const Peer first = fleet.join(t0);
  const Peer second = fleet.join(t0 + 1s);
  fleet.restart();
  fleet.advance(kLeft);
  CHECK(first.client().is_replaced);
  fleet.advance(kLeft + 1s);
  CHECK_FALSE(second.client().is_replaced);
  fleet.restart();
  fleet.join(kLeft + 2s);
  CHECK(second.client().is_replaced);
}

TEST_CASE("programs with another pid, another ip or another address replace nothing") {
  Fleet fleet{{.rule = kRule, .brake = kNoBrake}};
  const Peer old = fleet.connect(t0);
  old.say(t0, {.ip = "192.168.1.1", .pid = 7});
  fleet.connect(t0 + 1s).say(t0 + 1s, {.ip = "192.168.1.1", .pid = 8});
  fleet.connect(t0 + 1s).say(t0 + 1s, {.ip = "192.168.1.2", .pid = 7});
  fleet.connect(t0 + 1s).say(t0 + 1s, {.ip = "192.168.1.1"});
  connect_from(fleet, from_address(9, 1), t0 + 1s).say(t0 + 1s, {.ip = "192.168.1.1", .pid = 7});
  fleet.advance(kLeft);
  CHECK_FALSE(old.client().is_replaced);
}
