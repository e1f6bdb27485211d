// Holds of operators: a held client is judged as ever, and only its close waits.
#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

// A leave 3 s after the accept of a client that beats once, a close 10 s later: at 13 s.
constexpr Rule kRule{.tick = 1s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 10s};
constexpr MonoTime kLeft = t0 + 3s;
constexpr MonoTime kDue = t0 + 13s;

Settings settings_with(const ClosingBrake::Settings& brake = {.share_percent = 0}) {
  return {.rule = kRule, .brake = brake};
}

Monitor::HoldOrder hold_of(std::string_view pattern, Millis length, std::string_view why = "new firmware") {
  return {.pattern = pattern, .why = why, .length = length, .uid = 1000};
}

Words words_until(Fleet& fleet, MonoTime at) {
  fleet.advance(at);
  return fleet.told();
}

}  // namespace

TEST_CASE("a held client leaves as ever, and is closed at the end of the hold, to the millisecond") {
  Fleet fleet{settings_with()};
  fleet.join(t0, "pump-1");
  fleet.join(t0, "valve-1");
  static_cast<void>(fleet.told());
  CHECK(fleet.hold(hold_of("pump-*", 1min), t0 + 1s));
  CHECK(fleet.told() == Words{"hold "});
  CHECK(fleet.told(kLeft) ==
        Words{"strike pump-1", "leave pump-1 silent", "strike valve-1", "leave valve-1 silent"});
  CHECK(fleet.told(kDue) == Words{"close valve-1 silent"});
  CHECK(words_until(fleet, t0 + 61s - 1ms) == Words{});
  CHECK(fleet.told(t0 + 61s) == Words{"hold_end ", "close pump-1 silent"});
  CHECK(fleet.last(Event::Kind::Closed).extra->detail == "held for 48 s by an operator");
}

TEST_CASE("a client whose leave ends after the hold is closed when it is due") {
  Fleet fleet{settings_with()};
  fleet.join(t0, "pump-1");
  CHECK(fleet.hold(hold_of("pump-*", 5s), t0 + 1s));
  fleet.advance(kDue - 1ms);
  static_cast<void>(fleet.told());
  CHECK(fleet.told(kDue) == Words{"close pump-1 silent"});
  CHECK(fleet.last(Event::Kind::Closed).extra->detail.empty());
}

TEST_CASE("a held client whose leave is overdue is not closed when its program connects again") {
  Fleet fleet{settings_with()};
  fleet.join(t0, "pump-1");
  CHECK(fleet.hold(hold_of("pump-*", 1min), t0 + 1s));
  fleet.advance(t0 + 20s);
  static_cast<void>(fleet.told());
  const Peer again = fleet.connect(t0 + 20s);
  again.say(t0 + 20s, {.id = "pump-1"});
  CHECK(fleet.told() == Words{"connected 10.0.0.1:40002", "takeover pump-1"});
  CHECK(words_until(fleet, t0 + 61s - 1ms) == Words{});
  CHECK(fleet.told(t0 + 61s) == Words{"hold_end ", "close pump-1 silent"});
}

TEST_CASE("a client that returns at the very instant at which its leave would end is held from then on") {
  Fleet fleet{settings_with()};
  const Peer pump = fleet.join(t0, "pump-1");
  pump.say(kDue - 1500ms, {.id = "pump-1"});
  pump.say(kDue - 500ms, {.id = "pump-1"});
  static_cast<void>(fleet.told());
  CHECK(fleet.hold(hold_of("pump-*", 1min), kDue));
  CHECK(fleet.told(kDue) == Words{"hold ", "return pump-1 steady"});
  CHECK(words_until(fleet, kDue + 1min - 1ms) == Words{"strike pump-1", "leave pump-1 silent"});
  CHECK(fleet.told(kDue + 1min) == Words{"hold_end ", "close pump-1 silent"});
}

TEST_CASE("each event of a held client says why it is held, and none after the hold") {
  Fleet fleet{settings_with()};
  const Peer pump = fleet.join(t0, "pump-1");
  const Peer other = fleet.join(t0, "valve-1");
  CHECK(fleet.hold(hold_of("pump-*", 20s), t0));
  fleet.advance(kLeft);
  CHECK(fleet.last(Event::Kind::Struck).extra->on_hold.empty());  // that of valve-1
  other.disconnect(kLeft);
  CHECK(fleet.last(Event::Kind::Closed).extra->on_hold.empty());
  pump.disconnect(t0 + 20s - 1ms);
  CHECK(fleet.last(Event::Kind::Closed).extra->on_hold == "new firmware");
  const Peer again = fleet.join(t0 + 20s - 1ms, "pump-1");
  CHECK(fleet.last(Event::Kind::Left).extra->on_hold == "new firmware");
  again.disconnect(t0 + 20s);
  CHECK(fleet.last(Event::Kind::Closed).extra->on_hold.empty());
}

TEST_CASE("a release closes what is overdue now, and leaves the others to their time") {
  Fleet fleet{settings_with()};
  fleet.join(t0, "pump-1");
  fleet.join(t0 + 8s, "pump-2");
  CHECK(fleet.hold(hold_of("pump-*", 1h), t0 + 8s));
  fleet.advance(kDue + 2s);
  static_cast<void>(fleet.told());
  CHECK_FALSE(fleet.release("pump-1", kDue + 2s));
  CHECK(fleet.release("pump-*", kDue + 2s));
  CHECK(fleet.told() == Words{"hold_end ", "close pump-1 silent"});
  CHECK(fleet.monitor().holds().all().empty());
  CHECK(words_until(fleet, t0 + 21s - 1ms) == Words{});
  CHECK(fleet.told(t0 + 21s) == Words{"close pump-2 silent"});
}

TEST_CASE("of several holds of a client the one that ends last counts, also after a release") {
  Fleet fleet{settings_with()};
  fleet.join(t0, "pump-1");
  CHECK(fleet.hold(hold_of("*", 30s), t0 + 1s));
  CHECK(fleet.hold(hold_of("pump-*", 1min), t0 + 1s));
  CHECK(fleet.release("pump-*", t0 + 2s));
  fleet.advance(t0 + 31s - 1ms);
  static_cast<void>(fleet.told());
  CHECK(fleet.told(t0 + 31s) == Words{"hold_end ", "close pump-1 silent"});
}

TEST_CASE("clients that come during a hold are held, by their address and by their id") {
  Fleet fleet{settings_with()};
  CHECK(fleet.hold(hold_of("pump-*", 1min), t0));
  CHECK(fleet.hold(hold_of("10.0.0.1:40002", 1min), t0));
  fleet.join(t0, "pump-1");  // from port 40001
  fleet.join(t0);            // from port 40002
  const Peer third = fleet.join(t0);
  third.say(t0 + 1s, {.id = "pump-3"});
  fleet.advance(t0 + 59s);
  CHECK(fleet.monitor().clients().size() == 3);
  static_cast<void>(fleet.told());
  fleet.advance(t0 + 1min);
  CHECK(fleet.monitor().clients().size() == 0);
}

TEST_CASE("a connection that takes over a held client is held, too") {
  Fleet fleet{settings_with()};
  fleet.join(t0, "pump-1");
  CHECK(fleet.hold(hold_of("pump-*", 1min), t0));
  fleet.join(t0 + 5s, "pump-1");
  fleet.advance(t0 + 59s);
  CHECK(fleet.monitor().clients().size() == 1);
}

TEST_CASE("a hold does not keep a connection that ends otherwise") {
  Fleet fleet{settings_with()};
  const Peer pump = fleet.join(t0, "pump-1");
  CHECK(fleet.hold(hold_of("*", 1min), t0));
  pump.send_body(t0 + 1s, "no heartbeat");
  CHECK(pump.was_closed());
}

TEST_CASE("the declared leave of a held client waits for the end of the hold, too") {
  Fleet fleet{settings_with()};
  const Peer pump = fleet.join(t0, "pump-1");
  CHECK(fleet.hold(hold_of("*", 1min), t0));
  pump.say(t0 + 1s, {.status = Status::Leave});
  fleet.advance(t0 + 59s);
  CHECK_FALSE(pump.was_closed());
  fleet.advance(t0 + 1min);
  CHECK(pump.was_closed());
  CHECK(fleet.closes(Reason::Away) == 1);
}

TEST_CASE("a client that was due before the hold is closed for all that") {
  Fleet fleet{settings_with()};
  fleet.join(t0, "pump-1");
  fleet.advance(kDue - 1ms);
  static_cast<void>(fleet.told());
  CHECK(fleet.hold(hold_of("*", 1min), kDue));
  CHECK(fleet.told() == Words{"hold ", "close pump-1 silent"});
}

TEST_CASE("as many holds last at once as are allowed, and one of the same pattern is replaced") {
  Fleet fleet{settings_with()};
  for (std::size_t at = 0; at < limits::kHoldsMax; ++at) {
    REQUIRE(fleet.hold(hold_of("pump-" + std::to_string(at), 1min), t0));
  }
  CHECK_FALSE(fleet.hold(hold_of("one-more", 1min), t0));
  CHECK(fleet.hold(hold_of("pump-0", 2min), t0));
  CHECK(fleet.monitor().holds().all().size() == limits::kHoldsMax);
  CHECK(fleet.monitor().holds().all().front().until == t0 + 2min);
  fleet.advance(t0 + 1min);
  CHECK(fleet.monitor().holds().all().size() == 1);
  CHECK(fleet.monitor().next_deadline() == t0 + 2min);
  fleet.advance(t0 + 2min);
  CHECK(fleet.monitor().next_deadline() == MonoTime::never());
}

TEST_CASE("holds go on over a restart, also in the middle of the order") {
  Fleet fleet{settings_with()};
  fleet.join(t0, "pump-1");
  CHECK(fleet.order_hold(hold_of("pump-*", 1min), t0));
  fleet.restart();
  REQUIRE(fleet.monitor().holds().all().size() == 1);
  CHECK(fleet.monitor().holds().all().front().why == "new firmware");
  fleet.advance(t0 + 59s);
  fleet.restart();
  CHECK(fleet.monitor().clients().size() == 1);
  fleet.advance(t0 + 1min);
  CHECK(fleet.monitor().clients().size() == 0);
}

TEST_CASE("closes that a hold delays are a mass for the brake when the hold ends") {
  Fleet fleet{settings_with({.share_percent = 50, .clients_min = 3, .window = 2s, .pause = 5s})};
  for (int at = 0; at < 3; ++at) fleet.join(t0 + at * 3s, "pump-" + std::to_string(at));
  CHECK(fleet.hold(hold_of("*", 1min), t0 + 7s));
  fleet.advance(t0 + 67s);
  CHECK(fleet.monitor().brake().holds());
  CHECK(fleet.monitor().brake().spans().back().concerned == 3);
  fleet.advance(t0 + 72s - 1ms);
  CHECK(fleet.monitor().clients().size() == 3);
  fleet.advance(t0 + 72s);
  CHECK(fleet.monitor().clients().size() == 0);
}

TEST_CASE("a held client is not given up for a newcomer") {
  Settings settings = settings_with();
  settings.clients_max = 1;
  Fleet fleet{settings};
  const Peer pump = fleet.join(t0, "pump-1");
  CHECK(fleet.hold(hold_of("pump-*", 1min), t0));
  fleet.advance(t0 + 10s);
  const Peer newcomer = fleet.connect(t0 + 10s);
  newcomer.say(t0 + 10s, {.id = "pump-2"});
  CHECK(newcomer.was_closed());
  CHECK_FALSE(pump.was_closed());
}
