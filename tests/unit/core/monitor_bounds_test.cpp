// What ends a connection beside the rule, what slows it down, and what keeps it out.
#include <doctest/doctest.h>

#include "tests/unit/support/bytes.h"
#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using Kind = Event::Kind;

const std::string kBeat = framed(encode({.ip = "a"}));

std::string beats(unsigned count) {
  std::string bytes;
  for (unsigned beat = 0; beat < count; ++beat) bytes += kBeat;
  return bytes;
}

}  // namespace

TEST_CASE("a connection that says nothing is closed exactly at hello_timeout, by the daemon, as a probe") {
  Fleet fleet;
  const Peer peer = fleet.connect(t0);
  static_cast<void>(fleet.told());
  CHECK(fleet.told(t0 + 29'999ms).empty());
  CHECK(fleet.told(t0 + 30s) == Words{"close 10.0.0.1:40001 never_spoke"});
  CHECK(peer.was_closed());
  const Event& closed = fleet.last(Kind::Closed);
  CHECK(closed.by == Party::Daemon);
  CHECK_FALSE(closed.sent_bytes);
  CHECK(closed.extra->detail == "no heartbeat came within 30 s (hello_timeout)");
  CHECK(fleet.closes(Reason::NeverSpoke) == 1);
  CHECK(fleet.counters().probes == 1);
}

TEST_CASE("found late, it is told for its exact instant, and a strike that fell after it is none") {
  Fleet fleet;
  static_cast<void>(fleet.connect(t0));
  static_cast<void>(fleet.told());
  fleet.advance(t0 + 5min);
  CHECK(fleet.told() == Words{"close 10.0.0.1:40001 never_spoke"});
  CHECK(fleet.last(Kind::Closed).at == t0 + 30s);
}

TEST_CASE("the first heartbeat is in time a millisecond before, and too late at the instant itself") {
  Fleet fleet;
  const Peer in_time = fleet.connect(t0);
  const Peer late = fleet.connect(t0);
  in_time.beat(t0 + 29'999ms);
  late.beat(t0 + 30s);
  CHECK_FALSE(in_time.was_closed());
  CHECK(late.was_closed());
  CHECK(fleet.counters().heartbeats == 1);
  CHECK(fleet.last(Kind::Closed).reason == Reason::NeverSpoke);
  CHECK(fleet.last(Kind::Closed).sent_bytes);
  CHECK(fleet.counters().probes == 0);
  fleet.advance(t0 + 59s);
  CHECK_FALSE(in_time.was_closed());
}

TEST_CASE("half a frame is no first heartbeat") {
  Fleet fleet;
  const Peer peer = fleet.connect(t0);
  peer.send(t0 + 29s, kBeat.substr(0, 20));
  CHECK(fleet.told(t0 + 30s) == Words{"close 10.0.0.1:40001 never_spoke"});
  CHECK(fleet.counters().probes == 0);
}

TEST_CASE("slow ticks make hello_timeout longer: who beats once a tick may wait a tick to begin") {
  Fleet fleet{{.rule = {.tick = 1min}}};
  const Peer peer = fleet.connect(t0);
  peer.beat(t0 + 1min);
  static_cast<void>(fleet.connect(t0));
  static_cast<void>(fleet.told());
  CHECK(fleet.told(t0 + 179'999ms).empty());
  CHECK(fleet.told(t0 + 3min) == Words{"close 10.0.0.1:40002 never_spoke"});
  CHECK_FALSE(peer.was_closed());
}

TEST_CASE("without a hello_timeout a connection that says nothing is the rule's alone") {
  Fleet fleet{{.bounds = {.hello_timeout = 0s}}};
  const Peer peer = fleet.connect(t0);
  CHECK(fleet.told(t0 + 150s) == Words{"strike 10.0.0.1:40001", "leave 10.0.0.1:40001 silent"});
  CHECK_FALSE(peer.was_closed());
}

TEST_CASE("a frame that was begun and is not finished ends its connection exactly at frame_timeout") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump-7");
  const Peer lamp = fleet.join(t0, "lamp");
  pump.send(t0 + 5s, kBeat.substr(0, 1));
  pump.send(t0 + 20s, kBeat.substr(1, 8));  // more of the same frame
  lamp.beat(t0 + 20s);
  static_cast<void>(fleet.told());
  CHECK(fleet.told(t0 + 34'999ms).empty());
  CHECK(fleet.told(t0 + 35s) == Words{"close pump-7 frame_timeout"});
  const Event& closed = fleet.last(Kind::Closed);
  CHECK(closed.by == Party::Daemon);
  CHECK(closed.extra->detail ==
        "after 30 s (frame_timeout): the frame was not finished: " + std::to_string(kBeat.size() - 4) +
            R"( bytes announced, 5 came; the bytes are "\x00\x00\x00\x1b{\"ip\"")");
  CHECK(closed.silent == 35s);  // half a frame is no sign of life
  CHECK_FALSE(lamp.was_closed());
}

TEST_CASE("half a first frame is diagnosed at hello_timeout") {
  Fleet fleet;
  const Peer peer = fleet.connect(t0);
  const std::string body = encode({.ip = "10.0.0.1"});
  peer.send(t0 + 1s, prefix(static_cast<std::int32_t>(body.size()) + 4) + body);
  fleet.advance(t0 + 30s);
  const std::string& detail = fleet.last(Kind::Closed).extra->detail;
  CHECK(detail.starts_with("no heartbeat came within 30 s (hello_timeout): the frame was not finished: " +
                           std::to_string(body.size() + 4) + " bytes announced, " +
                           std::to_string(body.size()) +
                           " came; what came is whole JSON: "
                           "the length must not count its own four bytes; the bytes are \""));
}

TEST_CASE("the end of a frame's time is looked at even where nothing else is due before it") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump-7");
  pump.beat(t0 + 40s);
  fleet.advance(t0 + 40s);  // the look that hello_timeout had asked for is over
  pump.send(t0 + 41s, kBeat.substr(0, 9));
  CHECK(fleet.monitor().next_deadline() <= t0 + 71s);
  fleet.advance(t0 + 70'999ms);
  CHECK_FALSE(pump.was_closed());
  fleet.advance(t0 + 71s);
  CHECK(pump.was_closed());
}

TEST_CASE("the end of a frame is in time a millisecond before, and too late at the instant itself") {
  Fleet fleet;
  const Peer in_time = fleet.join(t0);
  const Peer late = fleet.join(t0);
  in_time.send(t0 + 5s, kBeat.substr(0, 9));
  late.send(t0 + 5s, kBeat.substr(0, 9));
  in_time.send(t0 + 34'999ms, kBeat.substr(9));
  late.send(t0 + 35s, kBeat.substr(9));
  CHECK_FALSE(in_time.was_closed());
  CHECK(in_time.client().heartbeats == 2);
  CHECK(late.was_closed());
  CHECK(fleet.counters().heartbeats == 3);
}

TEST_CASE("each frame has its own time: one that dribbles all its frames is not closed") {
  Fleet fleet;
  const Peer pump = fleet.join(t0);
  const Millis apart = 29s / static_cast<int>(kBeat.size());
  MonoTime now = t0;
  for (int beat = 0; beat < 20; ++beat) {
    for (const char byte : kBeat) {
      now += apart;
      pump.send(now, std::string(1, byte));
      fleet.advance(now);
    }
  }
  CHECK_FALSE(pump.was_closed());
  CHECK(pump.client().heartbeats == 21);
}

TEST_CASE("the rest of one read that ends in the middle of a frame counts from then") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump");
  pump.send(t0 + 10s, kBeat.substr(0, 9));
  pump.send(t0 + 20s, kBeat.substr(9) + kBeat + kBeat.substr(0, 3));
  static_cast<void>(fleet.told());
  CHECK(fleet.told(t0 + 49'999ms).empty());
  CHECK(fleet.told(t0 + 50s) == Words{"close pump frame_timeout"});
}

TEST_CASE("without a frame_timeout half a frame may stay for ever") {
  Fleet fleet{{.bounds = {.frame_timeout = 0s}}};
  const Peer pump = fleet.join(t0, "pump");
  pump.send(t0, kBeat.substr(0, 9));
  fleet.advance(t0 + 159s);
  CHECK_FALSE(pump.was_closed());
}

TEST_CASE("at one instant the rule is judged first, and frame_timeout before hello_timeout") {
  Fleet fleet{{.rule = {.tick = 10s, .threshold = 3, .cursor = 1}}};
  const Peer peer = fleet.connect(t0);
  peer.send(t0, kBeat.substr(0, 9));
  static_cast<void>(fleet.told());
  CHECK(fleet.told(t0 + 30s) ==
        Words{"strike 10.0.0.1:40001", "leave 10.0.0.1:40001 silent", "close 10.0.0.1:40001 frame_timeout"});
  CHECK(fleet.monitor().status_counts() == StatusCounts{});
}

TEST_CASE("a timeout that a shorter one has overtaken ends at the change, and not in the past") {
  Settings settings;
  Fleet fleet{settings};
  const Peer silent = fleet.connect(t0);
  const Peer pump = fleet.join(t0, "pump");
  pump.send(t0 + 5s, kBeat.substr(0, 9));
  static_cast<void>(fleet.told());
  settings.rule.tick = 1s;
  settings.bounds.hello_timeout = 5s;
  settings.bounds.frame_timeout = 5s;
  fleet.change(settings, t0 + 20s);
  CHECK(silent.was_closed());
  CHECK(pump.was_closed());
  CHECK(fleet.last(Kind::Closed).at == t0 + 20s);
  CHECK(fleet.told() == Words{"close 10.0.0.1:40001 never_spoke", "close pump frame_timeout"});
}

TEST_CASE("a longer timeout is in force for those that wait already") {
  Settings settings;
  Fleet fleet{settings};
  const Peer silent = fleet.connect(t0);
  settings.bounds.hello_timeout = 40s;
  fleet.change(settings, t0 + 20s);
  fleet.advance(t0 + 39'999ms);
  CHECK_FALSE(silent.was_closed());
  fleet.advance(t0 + 40s);
  CHECK(silent.was_closed());
}

TEST_CASE("one that beats faster than its rate allows is told of once, and not read for a while") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump");  // its first heartbeat
  const Peer lamp = fleet.join(t0, "lamp");
  static_cast<void>(fleet.told());
  pump.send(t0, beats(999));
  CHECK(fleet.told().empty());
  CHECK(pump.is_read());
  pump.send(t0, beats(1));
  CHECK(fleet.told() == Words{"fast_beats pump"});
  CHECK_FALSE(pump.is_read());
  CHECK(lamp.is_read());
  CHECK(pump.client().heartbeats == 1001);  // nothing is dropped
  CHECK(fleet.counters().limited == 1);
  REQUIRE(pump.client().history != nullptr);
  CHECK(pump.client().history->oldest_first().back().kind == Moment::Kind::Limited);
  CHECK(pump.client().history->oldest_first().back().at == t0);

  // 501 heartbeats are above half of the burst: 5.01 s at 100 in a second, but half a tick is 5 s.
  fleet.advance(t0 + 4999ms);
  CHECK_FALSE(pump.is_read());
  fleet.advance(t0 + 5s);
  CHECK(pump.is_read());
  pump.send(t0 + 5s, beats(600));
  CHECK_FALSE(pump.is_read());
  CHECK(fleet.told().empty());
  CHECK(fleet.counters().limited == 1);
}

TEST_CASE("it is read again when half of its burst is free, where that comes before half a tick") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump");
  pump.send(t0, beats(800));
  pump.send(t0 + 4s, beats(601));  // 401 left, and 601
  CHECK_FALSE(pump.is_read());
  fleet.advance(t0 + 4s + 4999ms);
  CHECK_FALSE(pump.is_read());
  fleet.advance(t0 + 9s);
  CHECK(pump.is_read());
}

TEST_CASE("over a minute one that always sends is read no faster than its rate, and never silent") {
  Fleet fleet{{.rule = {.tick = 1s}}};
  const Peer pump = fleet.join(t0, "pump");
  for (Millis in{0}; in < 60s; in += 1ms) {
    fleet.advance(t0 + in);
    if (pump.is_read()) pump.send(t0 + in, beats(16));
  }
  CHECK(pump.client().heartbeats <= 1000 + 60 * 100 + 16);
  CHECK(pump.client().heartbeats >= 60 * 100);
  CHECK(pump.client().nearest_to_leave == 0);
  CHECK_FALSE(pump.was_closed());
}

TEST_CASE("the time in which it is not read does not count for the frame that it is in") {
  Fleet fleet{{.bounds = {.frame_timeout = 2s}}};
  const Peer pump = fleet.join(t0, "pump");
  pump.send(t0, beats(1000) + kBeat.substr(0, 9));
  CHECK_FALSE(pump.is_read());
  fleet.advance(t0 + 4999ms);
  CHECK_FALSE(pump.was_closed());
  fleet.advance(t0 + 5s);
  CHECK(pump.is_read());
  fleet.advance(t0 + 6999ms);
  CHECK_FALSE(pump.was_closed());
  fleet.advance(t0 + 7s);
  CHECK(pump.was_closed());
  CHECK(fleet.last(Kind::Closed).reason == Reason::FrameTimeout);
}

TEST_CASE("without a rate nobody is too fast") {
  Fleet fleet{{.bounds = {.max_rate = 0}}};
  const Peer pump = fleet.join(t0, "pump");
  pump.send(t0, beats(5000));
  CHECK(pump.is_read());
  CHECK(fleet.counters().limited == 0);
}

TEST_CASE("one that is not read is read again where the rate is taken away") {
  Settings settings;
  Fleet fleet{settings};
  const Peer pump = fleet.join(t0, "pump");
  pump.send(t0, beats(5000));
  CHECK_FALSE(pump.is_read());
  settings.bounds.max_rate = 0;
  fleet.change(settings, t0 + 1s);
  fleet.advance(t0 + 1s);
  CHECK(pump.is_read());
}

TEST_CASE("from one address as many as max_clients_per_ip are let in, and one more is told and counted") {
  Fleet fleet{{.newcomers_max = 0, .bounds = {.max_clients_per_ip = 2}}};
  const Peer first = fleet.connect(t0);
  static_cast<void>(fleet.connect(t0));
  static_cast<void>(fleet.told());
  CHECK_FALSE(fleet.try_connect(t0));
  CHECK(fleet.told() == Words{"refused 10.0.0.1:40003 limit"});
  CHECK(fleet.last(Kind::Refused).extra->detail ==
        "2 clients from 10.0.0.1 are connected, which is the maximum from one address (max_clients_per_ip)");
  CHECK(fleet.counters().refused == 1);
  CHECK(fleet.counters().refusals.at(static_cast<std::size_t>(Refusal::MaxClientsPerIp)) == 1);
  CHECK(fleet.counters().refusals.at(static_cast<std::size_t>(Refusal::MaxClients)) == 0);
  CHECK(fleet.try_connect(t0, {.address = {10, 0, 0, 2}, .port = 1}));

  first.disconnect(t0 + 1s);
  CHECK(fleet.try_connect(t0 + 1s));
  CHECK_FALSE(fleet.try_connect(t0 + 1s));
}

TEST_CASE("max_clients_per_ip that comes with a reload counts those that are connected already") {
  Settings settings;
  Fleet fleet{settings};
  const Peer first = fleet.connect(t0);
  const Peer second = fleet.connect(t0);
  settings.newcomers_max = 0;
  settings.bounds.max_clients_per_ip = 1;
  fleet.change(settings, t0);
  CHECK_FALSE(first.was_closed());
  CHECK_FALSE(fleet.try_connect(t0));
  first.disconnect(t0);
  CHECK_FALSE(fleet.try_connect(t0));
  second.disconnect(t0);
  CHECK(fleet.try_connect(t0));
  settings.bounds.max_clients_per_ip = 0;
  fleet.change(settings, t0);
  CHECK(fleet.try_connect(t0));
}

TEST_CASE("at max_clients the refusal is counted by that cause") {
  Fleet fleet{{.clients_max = 1, .newcomers_max = 0}};
  static_cast<void>(fleet.connect(t0));
  CHECK_FALSE(fleet.try_connect(t0));
  CHECK(fleet.counters().refusals.at(static_cast<std::size_t>(Refusal::MaxClients)) == 1);
}
