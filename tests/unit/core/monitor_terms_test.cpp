// What a client declares of itself: its interval, which becomes its tick, and a silence to come.
#include <doctest/doctest.h>

#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// A client that beats once at its accept leaves three ticks later.
constexpr Rule kRule{.tick = 10s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 10min};

Settings settings_with(const Bounds& bounds) {
  return {.rule = kRule, .brake = {.share_percent = 0}, .bounds = bounds};
}
constexpr Bounds kGrants{.interval_min = 2s, .interval_max = 1min, .quiet_max = 5min};

std::uint32_t ms(Millis length) {
  return static_cast<std::uint32_t>(length.count());
}

Words words_until(Fleet& fleet, MonoTime at) {
  fleet.advance(at);
  return fleet.told();
}

}  // namespace

TEST_CASE("a declared interval is the client's tick, cut from the accept") {
  Fleet fleet{settings_with(kGrants)};
  const Peer peer = fleet.connect(t0);
  peer.say(t0 + 7s, {.id = "a", .interval_ms = ms(5s)});
  CHECK(fleet.monitor().rule_of(peer.client()).tick == 5s);
  CHECK(fleet.monitor().rule_of(peer.client()).leave_timeout == kRule.leave_timeout);
  CHECK(peer.client().liveness.tick_start() == t0 + 5s);
  static_cast<void>(fleet.told());
  CHECK(words_until(fleet, t0 + 20s - 1ms) == Words{});
  CHECK(fleet.told(t0 + 20s) == Words{"strike a", "leave a silent"});
}

TEST_CASE("a declared interval is kept within the bounds, and ignored where they are off") {
  const auto tick_for = [](const Bounds& bounds, Millis declared) {
    Fleet fleet{settings_with(bounds)};
    const Peer peer = fleet.connect(t0);
    peer.say(t0, {.interval_ms = ms(declared)});
    return fleet.monitor().rule_of(peer.client()).tick;
  };
  CHECK(tick_for(kGrants, 2s - 1ms) == 2s);
  CHECK(tick_for(kGrants, 2s) == 2s);
  CHECK(tick_for(kGrants, 2s + 1ms) == 2s + 1ms);
  CHECK(tick_for(kGrants, 1min) == 1min);
  CHECK(tick_for(kGrants, 1min + 1ms) == 1min);
  CHECK(tick_for(kGrants, 0ms) == kRule.tick);
  CHECK(tick_for({}, 5s) == kRule.tick);
}

TEST_CASE("an interval that is declared later moves the tick then, and 0 gives that of the group again") {
  Fleet fleet{settings_with(kGrants)};
  const Peer peer = fleet.join(t0, "a");
  peer.say(t0 + 25s, {.interval_ms = ms(4s)});
  CHECK(fleet.monitor().rule_of(peer.client()).tick == 4s);
  CHECK(fleet.monitor().next_deadline() == t0 + 36s);  // the tick that began at 24 s, and two more
  peer.say(t0 + 26s, {.interval_ms = 0});
  CHECK(fleet.monitor().rule_of(peer.client()) == kRule);
  static_cast<void>(fleet.told());
  CHECK(words_until(fleet, t0 + 50s - 1ms) == Words{});
  CHECK(fleet.told(t0 + 50s) == Words{"strike a", "leave a silent"});
}

TEST_CASE("each group has bounds of its own, and a reload bounds a declared interval anew") {
  Settings settings = settings_with({});
  const Group sensors{.name = "sensors",
                      .ids = {{.text = "probe-*", .glob = *Glob::compile("probe-*")}},
                      .rule = kRule,
                      .bounds = kGrants};
  settings.groups = GroupList{{sensors}};
  Fleet fleet{settings};
  const Peer probe = fleet.connect(t0);
  probe.say(t0, {.id = "probe-1", .interval_ms = ms(30s)});
  const Peer other = fleet.connect(t0);
  other.say(t0, {.id = "pump-1", .interval_ms = ms(30s)});
  CHECK(fleet.monitor().rule_of(probe.client()).tick == 30s);
  CHECK(fleet.monitor().rule_of(other.client()).tick == 10s);
  Group tighter = sensors;
  tighter.bounds.interval_max = 20s;
  settings.groups = GroupList{{tighter}};
  settings.bounds = kGrants;
  Effects effects;
  fleet.monitor().change_settings(settings, t0, effects);
  CHECK(fleet.monitor().rule_of(probe.client()).tick == 30s);  // until its turn
  fleet.advance(t0);
  CHECK(fleet.monitor().rule_of(probe.client()).tick == 20s);
  CHECK(fleet.monitor().rule_of(other.client()).tick == 30s);
  fleet.restart();
  CHECK(fleet.monitor().rule_of(probe.client()).tick == 20s);
}

TEST_CASE("an announced silence is not judged, up to the end of the tick in which it ends") {
  Fleet fleet{settings_with(kGrants)};
  const Peer peer = fleet.join(t0, "a");
  peer.say(t0 + 1s, {.quiet_ms = ms(65s)});  // until 66 s, in the tick from 60 s to 70 s
  static_cast<void>(fleet.told());
  fleet.advance(t0 + 40s);
  fleet.restart();
  CHECK(words_until(fleet, t0 + 90s - 1ms) == Words{});
  CHECK(fleet.told(t0 + 90s) == Words{"strike a", "leave a silent"});
}

TEST_CASE("no more than the bound of an announced silence is granted") {
  const auto leaves_at = [](Millis quiet) {
    Fleet fleet{settings_with({.quiet_max = 30s})};
    const Peer peer = fleet.connect(t0);
    peer.say(t0, {.quiet_ms = ms(quiet)});
    return peer.client().liveness.next_change(kRule);
  };
  CHECK(leaves_at(0ms) == t0 + 30s);
  CHECK(leaves_at(10s - 1ms) == t0 + 30s);
  CHECK(leaves_at(10s) == t0 + 40s);
  CHECK(leaves_at(30s) == t0 + 60s);
  CHECK(leaves_at(1h) == t0 + 60s);
}

TEST_CASE("a heartbeat ends an announced silence") {
  Fleet fleet{settings_with(kGrants)};
  const Peer peer = fleet.join(t0, "a");
  peer.say(t0 + 1s, {.quiet_ms = ms(5min)});
  fleet.advance(t0 + 100s);
  peer.beat(t0 + 105s);
  CHECK(peer.client().liveness.tick_start() == t0 + 100s);
  static_cast<void>(fleet.told());
  CHECK(words_until(fleet, t0 + 130s - 1ms) == Words{});
  CHECK(fleet.told(t0 + 130s) == Words{"strike a", "leave a silent"});
}

TEST_CASE("an announced silence outlasts a reload of the rule") {
  Settings settings = settings_with(kGrants);
  Fleet fleet{settings};
  const Peer peer = fleet.join(t0, "a");
  peer.say(t0 + 1s, {.quiet_ms = ms(65s)});
  settings.rule.tick = 7s;
  fleet.change_settings(settings, t0 + 2s);
  static_cast<void>(fleet.told());
  CHECK(words_until(fleet, t0 + 81s - 1ms) == Words{});  // the ticks of 7 s are cut from 60 s
  CHECK(fleet.told(t0 + 81s) == Words{"strike a", "leave a silent"});
}

TEST_CASE("a client in leave is granted no silence") {
  Fleet fleet{settings_with(kGrants)};
  const Peer peer = fleet.join(t0, "a");
  peer.say(t0 + 1s, {.status = Status::Leave});
  peer.say(t0 + 2s, {.quiet_ms = ms(5min)});
  CHECK(peer.client().liveness.tick_start() == t0);
}

TEST_CASE("a client with notices is sent what it was granted, when that is another than before") {
  Fleet fleet{settings_with(kGrants)};
  const Peer peer = fleet.connect(t0);
  peer.say(t0, {.id = "a", .interval_ms = ms(1s), .notify = true});
  const Words first = peer.received();
  REQUIRE(first.size() == 1);
  CHECK(first[0].find(R"("tick_ms":2000)") != std::string::npos);
  peer.say(t0 + 1s, {.interval_ms = ms(2s)});
  CHECK(peer.received() ==
        Words{R"({"type":"status","status":"alive","reason":"granted","interval_ms":2000,"quiet_ms":0})"});
  peer.say(t0 + 1s, {.interval_ms = ms(2s)});
  CHECK(peer.received() == Words{});
  peer.say(t0 + 1s, {.interval_ms = ms(5s), .quiet_ms = ms(1h)});
  CHECK(
      peer.received() ==
      Words{R"({"type":"status","status":"alive","reason":"granted","interval_ms":5000,"quiet_ms":300000})"});
}

TEST_CASE("a takeover brings the interval of the new connection, not that of the earlier one") {
  Fleet fleet{settings_with(kGrants)};
  fleet.connect(t0).say(t0, {.id = "a", .interval_ms = ms(5s)});
  const Peer second = fleet.join(t0 + 1s, "a");
  CHECK(fleet.monitor().rule_of(second.client()) == kRule);
  const Peer third = fleet.connect(t0 + 2s);
  third.say(t0 + 2s, {.id = "a", .interval_ms = ms(20s)});
  CHECK(fleet.monitor().rule_of(third.client()).tick == 20s);
}

TEST_CASE("the daemon keeps time as finely as the shortest tick that a client can have") {
  Settings settings = settings_with(kGrants);
  CHECK(settings.finest_rule().tick == 2s);
  settings.bounds.interval_max = 0ms;
  CHECK(settings.finest_rule().tick == 10s);
  settings.groups = GroupList{{Group{.name = "a", .by_name = true, .rule = kRule, .bounds = kGrants}}};
  CHECK(settings.finest_rule().tick == 2s);
}
