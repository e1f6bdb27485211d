// Bad input ends the connection that it came on, and no other, with a reason that a person understands.
#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/support/bytes.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using Kind = Event::Kind;

struct Bad {
  BadInput kind;
  std::string bytes;
  std::string detail;
};

std::string with(const std::string& members) {
  return framed(R"({"ip":"a","status":"alive",)" + members + "}");
}

std::vector<Bad> one_of_each() {
  const auto told = [](BadInput kind, const std::string& excerpt) {
    return std::string{explain(kind)} + ", but it is: \"" + excerpt + '"';
  };
  using enum BadInput;
  return {
      {LengthZero, prefix(0), "frame length 0 is not positive"},
      {LengthNegative, prefix(-5), "frame length -5 is not positive"},
      {LengthOverMax, prefix(4097), "frame length 4097 is over the limit of 4096 bytes"},
      {NotUtf8, framed("\xFF\xFE"), told(NotUtf8, R"(\xff\xfe)")},
      {NotJson, framed("GET / HTTP/1.1\r\n"), told(NotJson, R"(GET / HTTP/1.1\x0d\n)")},
      {TooDeep, framed(R"({"x":)" + std::string(20, '[')), told(TooDeep, R"({\"x\":[[[[[[[[[[[[[[[[[[[[)")},
      {NotAnObject, framed("[]"), told(NotAnObject, "[]")},
      {IpMissing, framed(R"({"status":"alive"})"), told(IpMissing, R"({\"status\":\"alive\"})")},
      {IpInvalid, framed(R"({"ip":""})"), told(IpInvalid, R"({\"ip\":\"\"})")},
      {StatusMissing, framed(R"({"ip":"a"})"), told(StatusMissing, R"({\"ip\":\"a\"})")},
      {StatusUnknown, framed(R"({"ip":"a","status":"dead"})"),
       told(StatusUnknown, R"({\"ip\":\"a\",\"status\":\"dead\"})")},
      {PidInvalid, with(R"("pid":-1)"),
       told(PidInvalid, R"({\"ip\":\"a\",\"status\":\"alive\",\"pid\":-1})")},
      {IdInvalid, with(R"("id":"")"), told(IdInvalid, R"({\"ip\":\"a\",\"status\":\"alive\",\"id\":\"\"})")},
      {IdChanged, with(R"("id":"other")"), told(IdChanged, "other")},
      {SeqInvalid, with(R"("seq":-1)"),
       told(SeqInvalid, R"({\"ip\":\"a\",\"status\":\"alive\",\"seq\":-1})")},
      {AckInvalid, with(R"("ack":1)"), told(AckInvalid, R"({\"ip\":\"a\",\"status\":\"alive\",\"ack\":1})")},
      {NotifyInvalid, with(R"("notify":1)"),
       told(NotifyInvalid, R"({\"ip\":\"a\",\"status\":\"alive\",\"notify\":1})")},
  };
}

}  // namespace

TEST_CASE("each kind of bad input closes its connection, is counted, and says what was wrong") {
  const auto kinds = one_of_each();
  REQUIRE(kinds.size() == kBadInputCount);
  for (const Bad& bad : kinds) {
    CAPTURE(bad.kind);
    Fleet fleet;
    const Peer pump = fleet.join(t0, "pump-7");
    const Peer lamp = fleet.join(t0, "lamp");
    static_cast<void>(fleet.told());
    pump.send(t0 + 1s, bad.bytes);

    const Reason reason = is_frame_error(bad.kind) ? Reason::BadFrame : Reason::BadHeartbeat;
    CHECK(fleet.told() == Words{"close pump-7 " + std::string{to_string(reason)}});
    const Event& closed = fleet.last(Kind::Closed);
    CHECK(closed.by == Party::Daemon);
    CHECK(closed.bad_input == bad.kind);
    CHECK(closed.detail == bad.detail);
    CHECK(fleet.counters().bad_input.at(static_cast<std::size_t>(bad.kind)) == 1);
    CHECK(fleet.closes(reason) == 1);
    CHECK(fleet.counters().heartbeats == 2);
    CHECK(pump.was_closed());
    CHECK(pump.received() == Words{});  // it did not ask to be told

    CHECK_FALSE(lamp.was_closed());
    lamp.beat(t0 + 2s);
    CHECK(lamp.client().heartbeats == 2);
  }
}

TEST_CASE("one who asked to be told is told what was wrong with its input") {
  Fleet fleet;
  const Peer pump = fleet.connect(t0);
  pump.say(t0, {.notify = true});
  static_cast<void>(pump.received());
  pump.send_body(t0 + 1s, "hello");
  CHECK(pump.received() ==
        Words{R"({"type":"status","status":"close","reason":"bad_heartbeat","detail":)"
              R"("the body must be one JSON value and nothing else, but it is: \"hello\""})"});
}

TEST_CASE("of a long bad body a short excerpt is told, and nothing in it can fool the reader") {
  Fleet fleet;
  const Peer pump = fleet.connect(t0);
  pump.send_body(t0, "\x1B[2J" + std::string(4000, 'x'));
  CHECK(fleet.last(Kind::Closed).detail == std::string{explain(BadInput::NotJson)} +
                                               R"(, but it is: "\x1b[2J)" +
                                               std::string(limits::kExcerptMax - 4, 'x') + "…\"");
}

TEST_CASE("a bad body as long as an excerpt is told whole, and one byte more is cut") {
  for (const bool is_cut : {false, true}) {
    Fleet fleet;
    const Peer pump = fleet.connect(t0);
    pump.send_body(t0, std::string(limits::kExcerptMax + (is_cut ? 1 : 0), 'x'));
    CHECK(fleet.last(Kind::Closed).detail == std::string{explain(BadInput::NotJson)} + ", but it is: \"" +
                                                 std::string(limits::kExcerptMax, 'x') +
                                                 (is_cut ? "…\"" : "\""));
  }
}

TEST_CASE("heartbeats that came before the bad input in the same read still count") {
  Fleet fleet;
  const Peer pump = fleet.connect(t0);
  const std::string good = framed(encode({.ip = "a", .id = "pump-7"}));
  pump.send(t0, good + good + framed("bad") + good);
  CHECK(fleet.counters().heartbeats == 2);
  CHECK(fleet.told().back() == "close pump-7 bad_heartbeat");
}

TEST_CASE("an id may be repeated but not changed") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump-7");
  pump.say(t0 + 1s, {.id = "pump-7"});
  CHECK_FALSE(pump.was_closed());
  pump.say(t0 + 2s, {.id = "pump-8"});
  CHECK(pump.was_closed());
  CHECK(fleet.last(Kind::Closed).bad_input == BadInput::IdChanged);
}

TEST_CASE("the daemon's own limit on frames is the one that counts") {
  Fleet fleet{{.frame_max = 40}};
  const Peer pump = fleet.connect(t0);
  const std::string body = encode({.ip = "a", .id = "p"});
  REQUIRE(body.size() < 40);
  pump.send_body(t0, body + std::string(40 - body.size(), ' '));
  CHECK_FALSE(pump.was_closed());
  pump.send_body(t0, body + std::string(41 - body.size(), ' '));
  CHECK(pump.was_closed());
  CHECK(fleet.last(Kind::Closed).detail == "frame length 41 is over the limit of 40 bytes");
}

TEST_CASE("verdicts that fell before the bad input are told before it; a leave that ran out was the end") {
  Fleet fleet{{.rule = {.tick = 1s, .leave_timeout = 30s}}};
  const Peer pump = fleet.join(t0, "pump");
  const Peer lamp = fleet.join(t0, "lamp");
  static_cast<void>(fleet.told());
  pump.send(t0 + 7s, prefix(0));
  CHECK(fleet.told() == Words{"strike pump", "close pump bad_frame"});
  lamp.send(t0 + 60s, prefix(0));
  CHECK(fleet.told().back() == "close lamp silent");
}

TEST_CASE("one that was closed for bad input while in leave is remembered as in leave") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump-7");
  pump.say(t0 + 1s, {.status = Status::Leave});
  pump.send(t0 + 2s, prefix(0));
  CHECK(fleet.join(t0 + 3s, "pump-7").client().liveness.status() == Status::Leave);
}
