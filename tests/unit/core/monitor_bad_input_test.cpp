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
  const auto but = [](BadInput kind, const std::string& what) { return std::string{explain(kind)} + what; };
  using enum BadInput;
  return {
      {LengthZero, prefix(0), R"(frame length 0 is not positive; the bytes are "\x00\x00\x00\x00")"},
      {LengthNegative, prefix(-5), R"(frame length -5 is not positive; the bytes are "\xff\xff\xff\xfb")"},
      {LengthOverMax, prefix(4097),
       R"(frame length 4097 is over the limit of 4096 bytes; the bytes are "\x00\x00\x10\x01")"},
      {NotUtf8, framed("\xFF\xFE"), but(NotUtf8, ": it is UTF-16, and must be UTF-8")},
      {NotJson, framed("GET / HTTP/1.1\r\n"),
       but(NotJson, R"(, but at byte 0 stands "GET / HTTP/1.1\x0d\n": is it JSON at all?)")},
      {TooDeep, framed(R"({"x":)" + std::string(20, '[')),
       but(TooDeep, R"(: "{\"x\":[[[[[[[[[[[[[[[[[[[[")")},
      {NotAnObject, framed("[]"), but(NotAnObject, R"(, but it is an array: "[]")")},
      {IpMissing, framed(R"({"status":"alive"})"), but(IpMissing, ", and there is only 'status'")},
      {IpInvalid, framed(R"({"ip":""})"), but(IpInvalid, ", but it is empty")},
      {StatusMissing, framed(R"({"ip":"a"})"), but(StatusMissing, ", and there is only 'ip'")},
      {StatusUnknown, framed(R"({"ip":"a","status":"dead"})"), but(StatusUnknown, R"(, but it is "dead")")},
      {PidInvalid, with(R"("pid":-1)"), but(PidInvalid, ", but it is the number -1")},
      {IdInvalid, with(R"("id":"")"), but(IdInvalid, ", but it is empty")},
      {IdChanged, with(R"("id":"other")"), but(IdChanged, R"(, "pump-7", but it is "other")")},
      {SeqInvalid, with(R"("seq":-1)"), but(SeqInvalid, ", but it is the number -1")},
      {AckInvalid, with(R"("ack":1)"), but(AckInvalid, ", but it is the number 1")},
      {NotifyInvalid, with(R"("notify":1)"), but(NotifyInvalid, ", but it is the number 1")},
  };
}

}  // namespace

TEST_CASE("each kind of bad input closes its connection, is counted, and says what was wrong") {
  // Those of a proxy's header and of a credential: tests/unit/core/arrival_test.cpp; those of TLS:
  // tests/process/test_tls.py
  constexpr std::size_t kOfAnArrival = 11;
  const auto kinds = one_of_each();
  REQUIRE(kinds.size() == kBadInputCount - kOfAnArrival);
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
    CHECK(closed.extra->bad_input == bad.kind);
    CHECK(closed.extra->detail == bad.detail);
    CHECK(fleet.counters().bad_input.at(static_cast<std::size_t>(bad.kind)) == 1);
    CHECK(fleet.closes(reason) == 1);
    CHECK(fleet.counters().heartbeats == 2);
    CHECK(pump.was_closed());
    CHECK(pump.received() == Words{});  // it did not ask for notifications

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
  CHECK(
      pump.received() ==
      Words{
          R"({"type":"status","status":"close","reason":"bad_heartbeat","detail":)"
          R"("the body must be one JSON value and nothing else, but at byte 0 stands \"hello\": is it JSON at all?"})"});
}

TEST_CASE("a frame that was cut short is diagnosed when its connection ends") {
  for (const Reason reason : {Reason::PeerClosed, Reason::Reset}) {
    Fleet fleet;
    const Peer pump = fleet.connect(t0);
    pump.send(t0, prefix(20) + "{\"ip\":");
    pump.disconnect(t0 + 1s, reason);
    CHECK(fleet.last(Kind::Closed).reason == reason);
    CHECK(fleet.last(Kind::Closed).extra->detail ==
          "the frame was not finished: 20 bytes announced, 6 came; the bytes are "
          R"("\x00\x00\x00\x14{\"ip\":")");
  }
}

TEST_CASE("a connection that ends between two frames has nothing to diagnose") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump-7");
  pump.disconnect(t0 + 1s);
  CHECK(fleet.last(Kind::Closed).extra->detail.empty());
}

TEST_CASE("of a long bad body a short excerpt is told, and nothing in it can fool the reader") {
  Fleet fleet;
  const Peer pump = fleet.connect(t0);
  pump.send_body(t0, "\x1B[2J" + std::string(4000, 'x'));
  CHECK(fleet.last(Kind::Closed).extra->detail ==
        std::string{explain(BadInput::NotJson)} + R"(, but at byte 0 stands "\x1b[2J)" +
            std::string(limits::kExcerptMax - 4, 'x') + "…\": is it a binary format, protobuf for example?");
}

TEST_CASE("a bad body as long as an excerpt is told whole, and one byte more is cut") {
  for (const bool is_cut : {false, true}) {
    Fleet fleet;
    const Peer pump = fleet.connect(t0);
    pump.send_body(t0, std::string(limits::kExcerptMax + (is_cut ? 1 : 0), 'x'));
    CHECK(fleet.last(Kind::Closed).extra->detail ==
          std::string{explain(BadInput::NotJson)} + ", but at byte 0 stands \"" +
              std::string(limits::kExcerptMax, 'x') + (is_cut ? "…\"" : "\"") + ": is it JSON at all?");
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
  CHECK(fleet.last(Kind::Closed).extra->bad_input == BadInput::IdChanged);
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
  CHECK(fleet.last(Kind::Closed)
            .extra->detail.starts_with("frame length 41 is over the limit of 40 bytes; the bytes are "));
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
