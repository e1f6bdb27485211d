// Clients of several groups in one monitor: each is judged by the rule of its own group, to the millisecond.
#include <doctest/doctest.h>

#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

constexpr Rule kDefault{.tick = 10s, .threshold = 5, .cursor = 3, .recover = 5, .leave_timeout = 30min};
constexpr Rule kGames{.tick = 1s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 1min};
constexpr Rule kSensors{.tick = 15min, .threshold = 2, .cursor = 1, .recover = 1, .leave_timeout = 24h};

NamePattern pattern(const std::string& text) {
  return {.text = text, .glob = *Glob::compile(text)};
}

Group games(const Rule& rule = kGames) {
  return {.name = "games", .ids = {pattern("game-*")}, .rule = rule};
}
Group sensors(const Rule& rule = kSensors) {
  return {.name = "sensors", .ids = {pattern("probe-*")}, .rule = rule};
}

Settings settings_with(std::vector<Group> groups) {
  return {.rule = kDefault, .brake = {.share_percent = 0}, .groups = GroupList{std::move(groups)}};
}

// What happened until then, without what a client has done itself.
Words verdicts_until(Fleet& fleet, MonoTime at) {
  fleet.advance(at);
  return fleet.told();
}

}  // namespace

TEST_CASE("each client is judged by the rule of its group") {
  Fleet fleet{settings_with({games(), sensors()})};
  fleet.join(t0, "game-1");
  fleet.join(t0, "probe-1");
  fleet.join(t0, "pump-1");
  static_cast<void>(fleet.told());

  CHECK(verdicts_until(fleet, t0 + 2'999ms) == Words{});
  CHECK(fleet.told(t0 + 3s) == Words{"strike game-1", "leave game-1 silent"});
  CHECK(fleet.told(t0 + 60s) == Words{"strike pump-1"});
  CHECK(verdicts_until(fleet, t0 + 62'999ms) == Words{});
  CHECK(fleet.told(t0 + 63s) == Words{"close game-1 silent"});
  CHECK(fleet.told(t0 + 110s) == Words{"strike pump-1"});
  CHECK(fleet.told(t0 + 160s) == Words{"strike pump-1", "leave pump-1 silent"});
  CHECK(fleet.told(t0 + 1960s) == Words{"close pump-1 silent"});
  CHECK(verdicts_until(fleet, t0 + 45min - 1ms) == Words{});
  CHECK(fleet.told(t0 + 45min) == Words{"strike probe-1", "leave probe-1 silent"});
  CHECK(verdicts_until(fleet, t0 + 45min + 24h - 1ms) == Words{});
  CHECK(fleet.told(t0 + 45min + 24h) == Words{"close probe-1 silent"});
}

TEST_CASE(
    "the default rule holds until the heartbeat that names the group, and ticks are cut from the accept") {
  Fleet fleet{settings_with({sensors({.tick = 7s, .threshold = 1, .cursor = 1, .leave_timeout = 1min})})};
  const Peer probe = fleet.connect(t0);
  probe.say(t0 + 25s, {.id = "probe-1"});
  CHECK(fleet.monitor().group_name_of(probe.client()) == "sensors");
  // The tick of 7 s that holds 25 s began at 21 s; the next one is the silent one.
  CHECK(probe.client().liveness.tick_start() == t0 + 21s);
  static_cast<void>(fleet.told());
  CHECK(verdicts_until(fleet, t0 + 34'999ms) == Words{});
  CHECK(fleet.told(t0 + 35s) == Words{"strike probe-1", "leave probe-1 silent"});
}

TEST_CASE("a client that gives its id later changes its group then, and a shorter tick is due at once") {
  Fleet fleet{settings_with({games()})};
  const Peer game = fleet.join(t0);
  CHECK(fleet.monitor().group_name_of(game.client()).empty());
  game.say(t0 + 2'500ms, {.id = "game-1"});
  CHECK(fleet.monitor().group_name_of(game.client()) == "games");
  CHECK(fleet.monitor().next_deadline() == t0 + 5s);
}

TEST_CASE("a client may name its group where that group allows it, and an unknown name is no group") {
  Group named = sensors();
  named.ids.clear();
  named.by_name = true;
  Fleet fleet{settings_with({games(), named})};
  const Peer peer = fleet.connect(t0);
  peer.say(t0, {.id = "x", .group = "sensors"});
  CHECK(fleet.monitor().group_name_of(peer.client()) == "sensors");
  const Peer other = fleet.connect(t0);
  other.say(t0, {.id = "y", .group = "games"});
  CHECK(fleet.monitor().group_name_of(other.client()).empty());
  const Peer third = fleet.connect(t0);
  third.say(t0, {.id = "z", .group = "nothing"});
  CHECK(fleet.monitor().group_name_of(third.client()).empty());
}

TEST_CASE("a group by listener is known from the accept") {
  const Endpoint listener{.address = {127, 0, 0, 1}, .port = 14001};
  Group group = games();
  group.ids.clear();
  group.listeners = {listener};
  Monitor monitor{settings_with({group})};
  Effects effects;
  const auto conn = monitor.open(Fleet::peer_at(40001), t0, effects, {.listener = listener});
  REQUIRE(conn);
  CHECK(monitor.group_name_of(*monitor.clients().find(*conn)) == "games");
}

TEST_CASE("a welcome has the rule of the client's group") {
  Fleet fleet{settings_with({games()})};
  const Peer game = fleet.connect(t0);
  game.say(t0, {.id = "game-1", .notify = true});
  const Words received = game.received();
  REQUIRE(received.size() == 1);
  CHECK(received.front().find(R"("tick_ms":1000)") != std::string::npos);
}

TEST_CASE("a reload of one group moves no tick of another, and the next verdicts of its own are exact") {
  Fleet fleet{settings_with({games(), sensors()})};
  const Peer game = fleet.join(t0, "game-1");
  const Peer probe = fleet.join(t0, "probe-1");
  const Peer pump = fleet.join(t0, "pump-1");
  const MonoTime at = t0 + 1'500ms;
  fleet.advance(at);
  const MonoTime tick_of_probe = probe.client().liveness.tick_start();
  const MonoTime tick_of_pump = pump.client().liveness.tick_start();
  fleet.change_settings(
      settings_with({games({.tick = 4s, .threshold = 2, .cursor = 1, .leave_timeout = 1min}), sensors()}),
      at);
  fleet.advance(at);
  CHECK(probe.client().liveness.tick_start() == tick_of_probe);
  CHECK(pump.client().liveness.tick_start() == tick_of_pump);
  static_cast<void>(fleet.told());
  // The tick that began at 1 s keeps its phase: two silent ticks of 4 s.
  CHECK(game.client().liveness.tick_start() == t0 + 1s);
  CHECK(verdicts_until(fleet, t0 + 8'999ms) == Words{});
  CHECK(fleet.told(t0 + 9s) == Words{"strike game-1", "leave game-1 silent"});
}

TEST_CASE("a reload that reorders, renames or removes groups matches each client anew") {
  Group named = sensors();
  named.ids.clear();
  named.by_name = true;
  Fleet fleet{settings_with({games(), named})};
  const Peer game = fleet.join(t0, "game-1");
  const Peer probe = fleet.connect(t0);
  probe.say(t0, {.id = "probe-1", .group = "sensors"});
  Effects effects;
  fleet.monitor().change_settings(settings_with({named, games()}), t0 + 1s, effects);
  // Until its turn a client is in the group that it was in.
  CHECK(fleet.monitor().group_name_of(game.client()) == "games");
  CHECK(fleet.monitor().group_name_of(probe.client()) == "sensors");
  CHECK(fleet.monitor().rule_of(game.client()) == kGames);
  fleet.advance(t0 + 1s);
  CHECK(fleet.monitor().group_name_of(game.client()) == "games");
  CHECK(fleet.monitor().group_name_of(probe.client()) == "sensors");
  fleet.change_settings(settings_with({named}), t0 + 1s);
  fleet.advance(t0 + 1s);
  CHECK(fleet.monitor().group_name_of(game.client()).empty());
  CHECK(fleet.monitor().rule_of(game.client()) == kDefault);
  CHECK(fleet.monitor().group_name_of(probe.client()) == "sensors");
  CHECK(fleet.monitor().rule_of(probe.client()) == kSensors);
}

TEST_CASE("a takeover between groups keeps the standing, within the bounds of the new group's rule") {
  const Endpoint listener{.address = {127, 0, 0, 1}, .port = 14001};
  Group strict{.name = "strict", .listeners = {listener}, .rule = kGames};
  Fleet fleet{settings_with({strict})};
  const Peer early = fleet.join(t0, "pump-1");
  fleet.advance(t0 + 65s);  // a strike, and silence
  CHECK(early.client().liveness.strikes() == 1);
  Effects effects;
  const auto conn = fleet.monitor().open(Fleet::peer_at(50001), t0 + 65s, effects, {.listener = listener});
  REQUIRE(conn);
  std::string frame{"\0\0\0\x22", 4};
  frame += R"({"ip":"a","status":"alive","id":"pump-1"})";
  frame[3] = static_cast<char>(frame.size() - 4);
  fleet.monitor().receive(*conn, frame, t0 + 65s, effects);
  const Client* const client = fleet.monitor().clients().find(*conn);
  REQUIRE(client != nullptr);
  CHECK(client->liveness.strikes() == 0);  // `cursor` is 1: below it
  CHECK(client->liveness.silence() < 2);
  CHECK(fleet.monitor().group_name_of(*client) == "strict");
}

TEST_CASE("clients that beat slower than the tick of their group are a condition of that group") {
  Fleet fleet{settings_with({games(), sensors()})};
  const Peer game = fleet.join(t0, "game-1");
  for (int beat = 1; beat <= 4; ++beat) {
    game.beat(t0 + beat * 1'500ms);
  }
  CHECK(fleet.monitor().conditions().lasts(Condition::Kind::SlowBeats, "games", t0 + 6s));
  CHECK_FALSE(fleet.monitor().conditions().lasts(Condition::Kind::SlowBeats, "", t0 + 6s));
}

TEST_CASE("groups and the clients in them are the same after a restart, also in the middle of a reload") {
  Fleet fleet{settings_with({games(), sensors()})};
  const Peer game = fleet.join(t0, "game-1");
  const Peer probe = fleet.join(t0, "probe-1");
  fleet.restart();
  CHECK(fleet.monitor().group_name_of(game.client()) == "games");
  CHECK(fleet.monitor().group_name_of(probe.client()) == "sensors");
  Effects effects;
  fleet.monitor().change_settings(settings_with({sensors(), games()}), t0 + 1s, effects);
  fleet.restart();
  fleet.advance(t0 + 1s);
  CHECK(fleet.monitor().group_name_of(game.client()) == "games");
  CHECK(fleet.monitor().group_name_of(probe.client()) == "sensors");
  static_cast<void>(fleet.told());
  CHECK(fleet.told(t0 + 3s) == Words{"strike game-1", "leave game-1 silent"});
}

TEST_CASE("the brake counts leaves of all groups by their ends") {
  Settings settings = settings_with({games()});
  settings.brake = {.share_percent = 50, .clients_min = 4, .window = 20s, .pause = 30s};
  Fleet fleet{settings};
  // Two of each kind whose leaves end within one window: those of the games after a minute, those of the
  // others after half an hour.
  fleet.join(t0, "pump-1");
  fleet.join(t0, "pump-2");
  const MonoTime end = t0 + 160s + 30min;
  fleet.advance(end - 63s - 10s);
  const MonoTime late = end - 63s - 5s;
  fleet.join(late, "game-1");
  fleet.join(late, "game-2");
  static_cast<void>(fleet.told());
  fleet.advance(end - 5s);
  CHECK(fleet.monitor().brake().holds());
  CHECK(fleet.monitor().brake().spans().back().concerned == 4);
  CHECK(fleet.monitor().clients().size() == 4);
}
