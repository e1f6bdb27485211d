// What clients are sent, byte for byte.  A client that did not ask is sent nothing.
#include <doctest/doctest.h>

#include "tests/unit/support/bytes.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

constexpr Rule kArticle{.tick = 1s, .leave_timeout = 30s};

std::string status_frame(const std::string& status, const std::string& reason) {
  return R"({"type":"status","status":")" + status + R"(","reason":")" + reason + "\"}";
}

// A client that asked for notifications, and has read its welcome.
Peer watcher(Fleet& fleet, MonoTime at, std::string_view id) {
  const Peer peer = fleet.connect(at);
  peer.say(at, {.id = id, .notify = true});
  REQUIRE(peer.received().size() == 1);
  return peer;
}

}  // namespace

TEST_CASE("a client that asked for nothing is sent nothing, whatever happens to it") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  fleet.advance(t0 + 16s);
  for (int second = 16; second <= 20; ++second) pump.beat(t0 + second * 1s);
  fleet.advance(t0 + 21s);
  const Peer newer = fleet.join(t0 + 21s, "pump-7");
  fleet.shut_down(t0 + 22s);
  CHECK(pump.received() == Words{});
  CHECK(newer.received() == Words{});
}

TEST_CASE("an ack answers the heartbeat that asked for it, and no other") {
  Fleet fleet;
  const Peer pump = fleet.connect(t0);
  pump.say(t0, {.seq = 7, .ack = true});
  CHECK(pump.received() == Words{R"({"type":"ack","seq":7,"status":"alive"})"});
  pump.say(t0 + 1s, {.seq = 8});
  CHECK(pump.received() == Words{});
  pump.say(t0 + 2s, {.ack = true});
  CHECK(pump.received() == Words{R"({"type":"ack","status":"alive"})"});
}

TEST_CASE("an ack tells the status that the heartbeat left the client in") {
  Fleet fleet;
  const Peer pump = fleet.connect(t0);
  pump.say(t0, {.status = Status::Leave, .seq = 1, .ack = true});
  CHECK(pump.received() == Words{R"({"type":"ack","seq":1,"status":"leave"})"});
  pump.say(t0 + 1s, {.seq = 2, .ack = true});
  CHECK(pump.received() == Words{R"({"type":"ack","seq":2,"status":"leave"})"});
  pump.say(t0 + 2s, {.status = Status::Close, .seq = 3, .ack = true});
  CHECK(pump.received() == Words{R"({"type":"ack","seq":3,"status":"close"})"});
  CHECK(pump.was_closed());
}

TEST_CASE("the first notify is answered with the settings in force, once") {
  Fleet fleet{{.rule = {.tick = 250ms, .threshold = 1, .cursor = 2, .recover = 3, .leave_timeout = 1h},
               .frame_max = 512}};
  const Peer pump = fleet.connect(t0);
  pump.say(t0, {.notify = true});
  CHECK(pump.received() == Words{R"({"type":"welcome","tick_ms":250,"threshold":1,"cursor":2,"recover":3,)"
                                 R"("leave_timeout_ms":3600000,"max_frame":512})"});
  pump.say(t0 + 100ms, {.notify = true});
  pump.beat(t0 + 200ms);
  CHECK(pump.received() == Words{});
}

TEST_CASE("a welcome comes before the ack of the same heartbeat") {
  Fleet fleet;
  const Peer pump = fleet.connect(t0);
  pump.say(t0, {.seq = 1, .ack = true, .notify = true});
  const Words received = pump.received();
  REQUIRE(received.size() == 2);
  CHECK(received[0].starts_with(R"({"type":"welcome")"));
  CHECK(received[1] == R"({"type":"ack","seq":1,"status":"alive"})");
}

TEST_CASE("a client that asked is told of its leave, its return and its close") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = watcher(fleet, t0, "pump-7");
  fleet.advance(t0 + 15'999ms);
  CHECK(pump.received() == Words{});  // strikes are not its business
  fleet.advance(t0 + 16s);
  CHECK(pump.received() == Words{status_frame("leave", "silent")});
  for (int second = 16; second <= 20; ++second) pump.beat(t0 + second * 1s);
  fleet.advance(t0 + 21s);
  CHECK(pump.received() == Words{status_frame("alive", "steady")});
  pump.say(t0 + 21s, {.status = Status::Leave});
  CHECK(pump.received() == Words{status_frame("leave", "declared")});
  fleet.advance(t0 + 51s);
  CHECK(pump.received() == Words{status_frame("close", "away")});
  CHECK(pump.was_closed());
}

TEST_CASE("notify stays asked for without being repeated") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = watcher(fleet, t0, "pump-7");
  pump.say(t0 + 1s, {.notify = false});
  pump.say(t0 + 2s, {.status = Status::Close});
  CHECK(pump.received() == Words{status_frame("close", "goodbye")});
}

TEST_CASE("one that is silent to the end is told so") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = watcher(fleet, t0, "pump-7");
  fleet.advance(t0 + 46s);
  CHECK(pump.received() == Words{status_frame("leave", "silent"), status_frame("close", "silent")});
}

TEST_CASE("one that asks while in leave already is told that it is") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  pump.say(t0 + 1s, {.status = Status::Leave});
  pump.say(t0 + 2s, {.notify = true});
  const Words received = pump.received();
  REQUIRE(received.size() == 2);
  CHECK(received[1] == status_frame("leave", "declared"));
}

TEST_CASE("one that comes back in leave is told so, whether it asks before or after giving its id") {
  Fleet fleet{{.rule = kArticle}};
  static_cast<void>(fleet.join(t0, "pump-7"));
  fleet.advance(t0 + 46s);
  const Peer at_once = fleet.connect(t0 + 50s);
  SUBCASE("in one heartbeat") {
    at_once.say(t0 + 50s, {.id = "pump-7", .notify = true});
    REQUIRE(at_once.received() == Words{R"({"type":"welcome","tick_ms":1000,"threshold":5,"cursor":3,)"
                                        R"("recover":5,"leave_timeout_ms":30000,"max_frame":4096})",
                                        status_frame("leave", "remembered")});
  }
  SUBCASE("first notify, then the id") {
    at_once.say(t0 + 50s, {.notify = true});
    CHECK(at_once.received().size() == 1);
    at_once.say(t0 + 51s, {.id = "pump-7"});
    CHECK(at_once.received() == Words{status_frame("leave", "remembered")});
  }
}

TEST_CASE("the older connection is told that it was superseded, and by whom") {
  Fleet fleet;
  const Peer older = watcher(fleet, t0, "pump-7");
  const Peer newer = fleet.join(t0 + 1s, "pump-7");
  CHECK(older.received() == Words{R"({"type":"status","status":"close","reason":"superseded",)"
                                  R"("detail":"another connection, from 10.0.0.1:40002, gave this id"})"});
  CHECK(newer.received() == Words{});
}

TEST_CASE("one that takes over a client in leave is told that it is in leave") {
  Fleet fleet{{.rule = kArticle}};
  const Peer older = fleet.join(t0, "pump-7");
  older.say(t0, {.status = Status::Leave});
  const Peer newer = fleet.connect(t0 + 1s);
  SUBCASE("when it asks with the heartbeat that gives its id") {
    newer.say(t0 + 1s, {.id = "pump-7", .notify = true});
    CHECK(newer.received().back() == status_frame("leave", "declared"));
  }
  SUBCASE("when it had asked before") {
    newer.say(t0 + 1s, {.notify = true});
    CHECK(newer.received().size() == 1);
    newer.say(t0 + 2s, {.id = "pump-7"});
    CHECK(newer.received() == Words{status_frame("leave", "declared")});
  }
}

TEST_CASE("one that was in leave and takes over a client that is alive is told that it is alive") {
  Fleet fleet{{.rule = kArticle}};
  static_cast<void>(fleet.join(t0, "pump-7"));
  const Peer newer = fleet.connect(t0);
  newer.say(t0, {.status = Status::Leave, .notify = true});
  CHECK(newer.received().back() == status_frame("leave", "declared"));
  newer.say(t0 + 1s, {.id = "pump-7"});
  CHECK(newer.received() == Words{status_frame("alive", "steady")});
}

TEST_CASE("a shutdown is told to those who asked") {
  Fleet fleet;
  const Peer pump = watcher(fleet, t0, "pump-7");
  const Peer lamp = fleet.join(t0, "lamp");
  fleet.shut_down(t0 + 1s);
  CHECK(pump.received() == Words{status_frame("close", "shutdown")});
  CHECK(lamp.received() == Words{});
}

TEST_CASE("a frame on the wire is its length in four bytes and its body") {
  Monitor monitor{{}};
  Effects effects;
  const auto conn = monitor.open(Fleet::peer_at(1), t0, effects);
  REQUIRE(conn);
  effects.clear();
  monitor.receive(*conn, framed(R"({"ip":"a","status":"alive","ack":true})"), t0, effects);
  REQUIRE(effects.orders().size() == 1);
  CHECK(effects.orders()[0].kind == Effects::Order::Kind::Send);
  CHECK(effects.orders()[0].conn == *conn);
  CHECK(effects.bytes(effects.orders()[0]) == with_nul("\0\0\0\x1f{\"type\":\"ack\",\"status\":\"alive\"}"));
}
