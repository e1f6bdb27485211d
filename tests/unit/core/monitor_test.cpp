// The stories of clients: which joins, leaves, returns and is closed, when, and what is reported to the
// operator.
#include "daemon/core/monitor.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/unit/support/fleet.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

using Kind = Event::Kind;

constexpr Rule kArticle{.tick = 1s, .leave_timeout = 30s};

}  // namespace

TEST_CASE("a connection is a client from its accept, and joins with its first heartbeat") {
  Fleet fleet;
  const Peer peer = fleet.connect(t0);
  CHECK(fleet.told() == Words{"connected 10.0.0.1:40001"});
  CHECK(peer.client().liveness.status() == Status::Alive);

  peer.say(t0 + 2s, {.ip = "127.0.1.1", .pid = 26464});
  CHECK(fleet.told() == Words{"joined 10.0.0.1:40001"});
  const Event& joined = fleet.last(Kind::Joined);
  CHECK(joined.at == t0 + 2s);
  CHECK(joined.peer == Fleet::peer_at(40001));
  CHECK(joined.claimed_ip == "127.0.1.1");
  CHECK(joined.pid == 26464U);
  CHECK(joined.connected == 2s);

  peer.beat(t0 + 12s);
  CHECK(fleet.told() == Words{});
  CHECK(peer.client().heartbeats == 2);
  CHECK(peer.client().last_heard == t0 + 12s);
}

TEST_CASE("a client with an id is that id from its first heartbeat") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump-7");
  CHECK(fleet.told() == Words{"connected 10.0.0.1:40001", "joined pump-7"});
  CHECK(fleet.last(Kind::Joined).extra->previous == "10.0.0.1:40001");
  CHECK(name_of(pump.client()) == "pump-7");
  CHECK(fleet.counters().joins == 1);
}

TEST_CASE("a client may give its id later, and then has the name told") {
  Fleet fleet;
  const Peer pump = fleet.join(t0);
  pump.say(t0 + 10s, {.id = "pump-7"});
  CHECK(fleet.told() == Words{"connected 10.0.0.1:40001", "joined 10.0.0.1:40001", "named pump-7"});
  CHECK(fleet.last(Kind::Named).extra->previous == "10.0.0.1:40001");
  CHECK(fleet.counters().joins == 1);
  pump.say(t0 + 20s, {.id = "pump-7"});
  pump.beat(t0 + 30s);
  CHECK(fleet.told() == Words{});
}

TEST_CASE("what a client claims of itself may change, and what it leaves out stays") {
  Fleet fleet;
  const Peer peer = fleet.connect(t0);
  peer.say(t0, {.ip = "10.1.1.1", .pid = 1});
  peer.say(t0 + 10s, {.ip = "10.2.2.2"});
  CHECK(peer.client().claimed_ip == "10.2.2.2");
  CHECK(peer.client().pid == 1U);
  peer.say(t0 + 20s, {.ip = "10.2.2.2", .pid = 2});
  CHECK(peer.client().pid == 2U);
}

TEST_CASE("one heartbeat and then silence: each verdict is told at its instant, with its numbers") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump-7");
  fleet.advance(t0 + 59'999ms);
  CHECK(fleet.told().size() == 2);
  CHECK(fleet.told(t0 + 60s) == Words{"strike pump-7"});
  CHECK(fleet.told(t0 + 110s) == Words{"strike pump-7"});
  CHECK(fleet.told(t0 + 159'999ms) == Words{});
  CHECK(fleet.told(t0 + 160s) == Words{"strike pump-7", "leave pump-7 silent"});
  const Event& left = fleet.last(Kind::Left);
  CHECK(left.from == Status::Alive);
  CHECK(left.to == Status::Leave);
  CHECK(left.silence == 5);
  CHECK(left.strikes == 3);
  CHECK(left.silent == 160s);
  CHECK(left.heartbeats == 1);

  CHECK(fleet.told(t0 + 1'959'999ms) == Words{});
  CHECK_FALSE(pump.was_closed());
  CHECK(fleet.told(t0 + 1960s) == Words{"close pump-7 silent"});
  CHECK(pump.was_closed());
  const Event& closed = fleet.last(Kind::Closed);
  CHECK(closed.from == Status::Leave);
  CHECK(closed.to == Status::Close);
  CHECK(closed.by == Party::Daemon);
  CHECK(closed.connected == 1960s);

  CHECK(fleet.counters().strikes == 3);
  CHECK(fleet.counters().leaves == 1);
  CHECK(fleet.closes(Reason::Silent) == 1);
  CHECK(fleet.monitor().clients().size() == 0);
  CHECK(fleet.monitor().next_deadline() == MonoTime::never());
}

TEST_CASE("a verdict found late is told with the instant at which it fell") {
  Fleet fleet{{.rule = kArticle}};
  static_cast<void>(fleet.join(t0, "pump-7"));
  static_cast<void>(fleet.told());
  fleet.advance(t0 + 1h);
  CHECK(fleet.told() == Words{"strike pump-7", "strike pump-7", "strike pump-7", "leave pump-7 silent",
                              "close pump-7 silent"});
  CHECK(fleet.last(Kind::Left).at == t0 + 16s);
  CHECK(fleet.last(Kind::Closed).at == t0 + 46s);
}

TEST_CASE("the article's beats of 10 s at its ticks of 1 s lead to leave at 18 s and close at 48 s") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  pump.beat(t0 + 10s);
  CHECK(fleet.told(t0 + 17'999ms) == Words{});
  CHECK(fleet.told(t0 + 18s) == Words{"strike pump-7", "leave pump-7 silent"});
  pump.beat(t0 + 20s);
  pump.beat(t0 + 30s);
  pump.beat(t0 + 40s);
  CHECK(fleet.told(t0 + 47'999ms) == Words{});
  CHECK(fleet.told(t0 + 48s) == Words{"close pump-7 silent"});
}

TEST_CASE("a verdict that falls before the heartbeat that finds it is told first") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  static_cast<void>(fleet.told());
  pump.say(t0 + 7s, {.status = Status::Leave});
  CHECK(fleet.told() == Words{"strike pump-7", "leave pump-7 declared"});
}

TEST_CASE("a heartbeat after the end of a leave comes too late") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  fleet.advance(t0 + 20s);
  static_cast<void>(fleet.told());
  pump.beat(t0 + 46s);
  CHECK(fleet.told() == Words{"close pump-7 silent"});
  CHECK(pump.was_closed());
  CHECK(fleet.counters().heartbeats == 1);
}

TEST_CASE("a client in leave that beats again returns at the end of the fifth tick") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  fleet.advance(t0 + 16s);
  static_cast<void>(fleet.told());
  for (int second = 16; second <= 20; ++second) {
    pump.beat(t0 + second * 1s + 500ms);
  }
  CHECK(fleet.monitor().next_deadline() == t0 + 21s);
  CHECK(fleet.told(t0 + 20'999ms) == Words{});
  CHECK(fleet.told(t0 + 21s) == Words{"return pump-7 steady"});
  const Event& returned = fleet.last(Kind::Returned);
  CHECK(returned.from == Status::Leave);
  CHECK(returned.to == Status::Alive);
  CHECK(returned.steady == 5);
  CHECK(fleet.counters().returns == 1);
  // It is as if it had never been away: struck after five silent ticks.
  CHECK(fleet.told(t0 + 26s) == Words{"strike pump-7"});
}

TEST_CASE("a declared leave is told at once, with the strikes that it wiped out, and ends as away") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  fleet.advance(t0 + 7s);
  static_cast<void>(fleet.told());
  pump.say(t0 + 7s, {.status = Status::Leave});
  CHECK(fleet.told() == Words{"leave pump-7 declared"});
  CHECK(fleet.last(Kind::Left).from == Status::Alive);
  CHECK(fleet.last(Kind::Left).to == Status::Leave);
  CHECK(fleet.last(Kind::Left).strikes == 1);
  pump.say(t0 + 8s, {.status = Status::Leave});
  CHECK(fleet.told() == Words{});
  CHECK(fleet.told(t0 + 36'999ms) == Words{});
  CHECK(fleet.told(t0 + 37s) == Words{"close pump-7 away"});
}

TEST_CASE("a client that declared leave and came back is silent, not away, when it goes quiet later") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  pump.say(t0 + 100ms, {.status = Status::Leave});
  for (int second = 1; second <= 5; ++second) pump.beat(t0 + second * 1s);
  CHECK(fleet.told(t0 + 6s) == Words{"return pump-7 steady"});
  CHECK(fleet.told(t0 + 21s) == Words{"strike pump-7", "leave pump-7 silent"});
  CHECK(fleet.told(t0 + 51s) == Words{"close pump-7 silent"});
}

TEST_CASE("a goodbye closes at once") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump-7");
  static_cast<void>(fleet.told());
  pump.say(t0 + 3s, {.status = Status::Close});
  CHECK(fleet.told() == Words{"close pump-7 goodbye"});
  CHECK(fleet.last(Kind::Closed).by == Party::Client);
  CHECK(fleet.last(Kind::Closed).at == t0 + 3s);
  CHECK(pump.was_closed());
  CHECK(fleet.counters().heartbeats == 2);
}

TEST_CASE("what stands behind a goodbye in the same read is not heard") {
  Fleet fleet;
  const Peer pump = fleet.connect(t0);
  std::string bytes;
  append_frame(bytes, encode({.ip = "a", .status = Status::Close, .id = "pump-7"}));
  append_frame(bytes, "not json");
  pump.send(t0, bytes);
  CHECK(fleet.told().back() == "close pump-7 goodbye");
  CHECK(fleet.closes(Reason::BadHeartbeat) == 0);
}

TEST_CASE("a connection that ends from outside says who ended it, and why") {
  struct Ending {
    Reason reason;
    Party by;
  };
  for (const Ending ending : {Ending{Reason::PeerClosed, Party::Client}, Ending{Reason::Reset, Party::Client},
                              Ending{Reason::Limit, Party::Daemon}}) {
    CAPTURE(ending.reason);
    Fleet fleet;
    const Peer pump = fleet.join(t0, "pump-7");
    pump.disconnect(t0 + 1s, ending.reason);
    CHECK(fleet.told().back() == "close pump-7 " + std::string{to_string(ending.reason)});
    CHECK(fleet.last(Kind::Closed).by == ending.by);
    CHECK(fleet.closes(ending.reason) == 1);
  }
}

TEST_CASE("verdicts that fell before a connection ended are told before its end") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  static_cast<void>(fleet.told());
  pump.disconnect(t0 + 7s);
  CHECK(fleet.told() == Words{"strike pump-7", "close pump-7 peer_closed"});
  CHECK(fleet.last(Kind::Closed).from == Status::Alive);
}

TEST_CASE("a connection that never sent a byte is known for a probe") {
  Fleet fleet;
  const Peer probe = fleet.connect(t0);
  probe.disconnect(t0 + 1s);
  CHECK_FALSE(fleet.last(Kind::Closed).sent_bytes);
  CHECK(fleet.monitor().closed_clients().size() == 0);

  const Peer begun = fleet.connect(t0 + 2s);
  begun.send(t0 + 2s, std::string_view{"\0", 1});
  begun.disconnect(t0 + 3s);
  CHECK(fleet.last(Kind::Closed).sent_bytes);
}

TEST_CASE("what comes for a connection that is closed already is ignored") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump-7");
  pump.say(t0 + 1s, {.status = Status::Close});
  const Peer lamp = fleet.join(t0 + 2s, "lamp");  // in the same slot
  REQUIRE(lamp.conn().slot == pump.conn().slot);
  static_cast<void>(fleet.told());
  pump.beat(t0 + 3s);
  pump.disconnect(t0 + 3s);
  CHECK(fleet.told() == Words{});
  CHECK(lamp.client().heartbeats == 1);
}

TEST_CASE("the newest connection with an id is that client, and the older one is superseded") {
  Fleet fleet{{.rule = kArticle}};
  const Peer older = fleet.join(t0, "pump-7");
  older.beat(t0 + 500ms);
  const Peer newer = fleet.connect(t0 + 7s);
  static_cast<void>(fleet.told());
  newer.say(t0 + 7'100ms, {.id = "pump-7"});

  CHECK(fleet.told() == Words{"strike pump-7", "takeover pump-7"});
  CHECK(older.was_closed());
  CHECK(fleet.closes(Reason::Superseded) == 1);
  CHECK(fleet.counters().takeovers == 1);
  CHECK(fleet.counters().joins == 1);
  const Event& taken = fleet.last(Kind::TakenOver);
  CHECK(taken.conn == newer.conn());
  CHECK(taken.peer == Fleet::peer_at(40002));
  CHECK(taken.extra->previous_peer == Fleet::peer_at(40001));
  CHECK(taken.extra->takeovers == 1);

  CHECK(newer.client().heartbeats == 3);
  CHECK(newer.client().liveness.strikes() == 1);
  // Its ticks are cut from its own accept: heard in the first, then five silent ones.
  CHECK(fleet.told(t0 + 13s) == Words{"strike pump-7"});
}

TEST_CASE("a takeover keeps a leave, its reason and its end") {
  Fleet fleet{{.rule = kArticle}};
  const Peer older = fleet.join(t0, "pump-7");
  older.say(t0 + 1s, {.status = Status::Leave});
  const Peer newer = fleet.join(t0 + 10s, "pump-7");
  CHECK(newer.client().liveness.status() == Status::Leave);
  CHECK(fleet.told(t0 + 30'999ms) == Words{});
  CHECK(fleet.told(t0 + 31s) == Words{"close pump-7 away"});
}

TEST_CASE("a connection without a name takes over when it gives an id, and is what that client was") {
  Fleet fleet{{.rule = kArticle}};
  const Peer older = fleet.join(t0, "pump-7");
  const Peer newer = fleet.join(t0);
  newer.say(t0 + 500ms, {.status = Status::Leave});
  static_cast<void>(fleet.told());
  newer.say(t0 + 900ms, {.id = "pump-7"});
  CHECK(fleet.told() == Words{"takeover pump-7"});
  CHECK(older.was_closed());
  CHECK(newer.client().liveness.status() == Status::Alive);
  CHECK(newer.client().heartbeats == 4);
}

TEST_CASE("two connections that take an id from each other again and again are a fight, told once") {
  Fleet fleet{{.rule = kArticle}};
  std::size_t fights = 0;
  for (int turn = 0; turn < 300; ++turn) {
    static_cast<void>(fleet.join(t0 + turn * 1s, "pump-7"));
    for (const std::string& word : fleet.told()) fights += word == "fight pump-7";
    if (turn < 3) CHECK(fights == 0);
    if (turn >= 3) CHECK(fights == 1);
    if (turn == 3) {
      CHECK(fleet.last(Kind::Fight).extra->takeovers == 3);
      CHECK(fleet.last(Kind::Fight).peer == Fleet::peer_at(40004));
      CHECK(fleet.last(Kind::Fight).extra->previous_peer == Fleet::peer_at(40003));
    }
  }
  CHECK(fleet.counters().takeovers == 299);
}

TEST_CASE("takeovers a threshold of ticks apart are reconnections, not a fight") {
  Fleet fleet{{.rule = kArticle}};
  for (int turn = 0; turn < 20; ++turn) static_cast<void>(fleet.join(t0 + turn * 5s, "pump-7"));
  for (const std::string& word : fleet.told()) CHECK(word != "fight pump-7");
  CHECK(fleet.last(Kind::TakenOver).extra->takeovers == 1);

  Fleet closer{{.rule = kArticle}};
  for (int turn = 0; turn < 4; ++turn) static_cast<void>(closer.join(t0 + turn * 4'999ms, "pump-7"));
  CHECK(closer.told().back() == "fight pump-7");
}

TEST_CASE("a client that was alive when it was closed starts alive again") {
  Fleet fleet{{.rule = kArticle}};
  fleet.join(t0, "pump-7").disconnect(t0 + 1s);
  REQUIRE(fleet.monitor().closed_clients().find("pump-7") != nullptr);
  static_cast<void>(fleet.told());
  const Peer back = fleet.join(t0 + 100s, "pump-7");
  CHECK(fleet.told() == Words{"connected 10.0.0.1:40002", "joined pump-7"});
  CHECK(back.client().liveness.status() == Status::Alive);
  CHECK(fleet.monitor().closed_clients().find("pump-7") == nullptr);
}

TEST_CASE("a client that was in leave when it was closed starts in leave, with a new period") {
  Fleet fleet{{.rule = kArticle}};
  static_cast<void>(fleet.join(t0, "pump-7"));
  fleet.advance(t0 + 46s);  // left at 16 s, closed at 46 s
  static_cast<void>(fleet.told());

  const Peer back = fleet.connect(t0 + 100s);
  back.say(t0 + 100'200ms, {.id = "pump-7"});
  CHECK(fleet.told() == Words{"connected 10.0.0.1:40002", "joined pump-7", "leave pump-7 remembered"});
  CHECK(fleet.last(Kind::Left).from == Status::Alive);
  CHECK(fleet.last(Kind::Left).to == Status::Leave);

  SUBCASE("it earns alive by the same rule") {
    for (int second = 101; second <= 104; ++second) back.beat(t0 + second * 1s);
    CHECK(fleet.told(t0 + 105s) == Words{"return pump-7 steady"});
  }
  SUBCASE("or it is closed when the new period is over") {
    CHECK(fleet.told(t0 + 130'199ms) == Words{});
    CHECK(fleet.told(t0 + 130'200ms) == Words{"close pump-7 silent"});
  }
}

TEST_CASE("one that was away when it was closed, and comes back to be silent, is away still") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  pump.say(t0 + 1s, {.status = Status::Leave});
  pump.disconnect(t0 + 2s, Reason::Reset);
  static_cast<void>(fleet.join(t0 + 10s, "pump-7"));
  CHECK(fleet.told(t0 + 40s) == Words{"close pump-7 away"});
}

TEST_CASE("a client that named itself late is remembered all the same") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  pump.say(t0, {.status = Status::Leave});
  pump.disconnect(t0 + 1s);
  const Peer back = fleet.join(t0 + 10s);
  static_cast<void>(fleet.told());
  back.say(t0 + 11s, {.id = "pump-7"});
  CHECK(fleet.told() == Words{"named pump-7", "leave pump-7 remembered"});
}

TEST_CASE("one that was superseded is not remembered: it lives on") {
  Fleet fleet;
  static_cast<void>(fleet.join(t0, "pump-7"));
  static_cast<void>(fleet.join(t0 + 1s, "pump-7"));
  CHECK(fleet.monitor().closed_clients().size() == 0);
}

TEST_CASE("one whose leave ran out unseen is closed, not taken over, when its id comes back") {
  Fleet fleet{{.rule = kArticle}};
  const Peer older = fleet.join(t0, "pump-7");
  const Peer newer = fleet.connect(t0 + 50s);
  static_cast<void>(fleet.told());
  newer.say(t0 + 50s, {.id = "pump-7"});
  CHECK(fleet.told() == Words{"strike pump-7", "strike pump-7", "strike pump-7", "leave pump-7 silent",
                              "close pump-7 silent", "joined pump-7", "leave pump-7 remembered"});
  CHECK(older.was_closed());
  CHECK(fleet.counters().takeovers == 0);
}

TEST_CASE("only so many closed clients are remembered") {
  Fleet fleet{{.rule = kArticle, .remember = 2}};
  for (const char* id : {"a", "b", "c"}) {
    const Peer peer = fleet.join(t0, id);
    peer.say(t0, {.status = Status::Leave});
    peer.disconnect(t0);
  }
  CHECK(fleet.join(t0 + 1s, "a").client().liveness.status() == Status::Alive);
  CHECK(fleet.join(t0 + 1s, "b").client().liveness.status() == Status::Leave);
  CHECK(fleet.join(t0 + 1s, "c").client().liveness.status() == Status::Leave);
}

TEST_CASE("as many clients as said are taken, and one past it is refused") {
  Fleet fleet{{.clients_max = 2, .newcomers_max = 0}};
  const Peer first = fleet.connect(t0);
  CHECK(fleet.try_connect(t0));
  static_cast<void>(fleet.told());
  CHECK_FALSE(fleet.try_connect(t0 + 1s));
  CHECK(fleet.told() == Words{"refused 10.0.0.1:40003 limit"});
  CHECK(fleet.last(Kind::Refused).extra->detail == "2 clients are connected, which is the maximum");
  CHECK(fleet.counters().refused == 1);
  CHECK(fleet.counters().connected == 2);
  first.disconnect(t0 + 2s);
  CHECK(fleet.try_connect(t0 + 3s));
}

TEST_CASE("an operator closes a client by its name") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump-7");
  const Peer lamp = fleet.join(t0);
  static_cast<void>(fleet.told());
  CHECK(fleet.kick("pump-7", "for the night", t0 + 1s));
  CHECK(fleet.told() == Words{"close pump-7 kicked"});
  CHECK(fleet.last(Kind::Closed).by == Party::Operator);
  CHECK(fleet.last(Kind::Closed).extra->detail == "for the night");
  CHECK(pump.was_closed());
  CHECK_FALSE(fleet.kick("pump-7", "", t0 + 1s));
  CHECK(fleet.kick("10.0.0.1:40002", "", t0 + 1s));
  CHECK(lamp.was_closed());
}

TEST_CASE("one whose leave had run out is closed for that, and not kicked") {
  Fleet fleet{{.rule = kArticle}};
  static_cast<void>(fleet.join(t0, "pump-7"));
  CHECK_FALSE(fleet.kick("pump-7", "", t0 + 50s));
  CHECK(fleet.told().back() == "close pump-7 silent");
}

TEST_CASE("so many stalls are remembered, the latest, and all are counted") {
  Monitor monitor{{}};
  Effects effects;
  for (std::size_t stall = 0; stall <= limits::kStallsMax; ++stall) {
    monitor.stalled(1s, t0 + Millis{static_cast<int>(stall)}, effects);
  }
  CHECK(monitor.stalls().size() == limits::kStallsMax);
  CHECK(monitor.stalls().front().at == t0 + 1ms);
  CHECK(monitor.counters().stalls == limits::kStallsMax + 1);
}

TEST_CASE("how late a verdict was found is kept") {
  Fleet fleet{{.rule = kArticle}};
  static_cast<void>(fleet.connect(t0));
  fleet.advance(t0 + 5s);
  fleet.advance(t0 + 10'007ms);
  CHECK(fleet.monitor().verdict_lateness().count() == 2);
  CHECK(fleet.monitor().verdict_lateness().max() == 7ms);
}

TEST_CASE("the next change is that of the silent, however early the others are to be looked at") {
  Fleet fleet{{.bounds = {.hello_timeout = 0s}}};
  const Peer steady = fleet.join(t0);
  const Peer silent = fleet.join(t0 + 3s);
  for (int beat = 1; beat <= 5; ++beat) steady.beat(t0 + 10s * beat);
  // Both are armed as at their accept, when nothing was heard yet.
  CHECK(fleet.monitor().next_deadline() == t0 + 50s);
  CHECK(fleet.monitor().next_change(t0 + 49'999ms) == t0 + 50s);
  CHECK(fleet.monitor().next_change(t0 + 50s) == t0 + 53s);
  CHECK(fleet.monitor().next_change(t0 + 62'999ms) == t0 + 63s);
  CHECK(fleet.monitor().next_deadline() == t0 + 63s);
  CHECK(fleet.monitor().next_change(t0 + 70s) == t0 + 63s);

  silent.beat(t0 + 59s);
  CHECK(fleet.monitor().next_change(t0 + 70s) > t0 + 70s);
  fleet.advance(t0 + 70s);
  CHECK(fleet.told().size() == 4);  // they connected and joined, and that is all
}

TEST_CASE("nobody connected, nothing changes") {
  Fleet fleet;
  CHECK(fleet.monitor().next_change(t0 + 60s) == MonoTime::never());
}

TEST_CASE("a verdict that was due before a shutdown is given first") {
  Fleet fleet;
  fleet.join(t0, "pump");
  static_cast<void>(fleet.told());
  fleet.shut_down(t0 + 60s);
  CHECK(fleet.told() == Words{"strike pump", "close pump shutdown"});
}

TEST_CASE("a shutdown closes everybody") {
  Fleet fleet;
  const Peer pump = fleet.join(t0, "pump");
  const Peer lamp = fleet.join(t0, "lamp");
  const Peer mute = fleet.connect(t0);
  static_cast<void>(fleet.told());
  fleet.shut_down(t0 + 1s);
  CHECK(fleet.told() == Words{"close pump shutdown", "close lamp shutdown", "close 10.0.0.1:40003 shutdown"});
  CHECK(pump.was_closed());
  CHECK(lamp.was_closed());
  CHECK(mute.was_closed());
  CHECK(fleet.monitor().clients().size() == 0);
  CHECK(fleet.closes(Reason::Shutdown) == 3);
  CHECK(fleet.monitor().next_deadline() == MonoTime::never());
}

TEST_CASE("clients that beat steadily but slower than the tick are told of, once for all") {
  Fleet fleet{{.rule = kArticle}};
  const Peer pump = fleet.join(t0, "pump-7");
  const Peer lamp = fleet.join(t0, "lamp");
  static_cast<void>(fleet.told());
  for (int beats = 1; beats <= 3; ++beats) pump.beat(t0 + beats * 1200ms);
  CHECK(fleet.told() == Words{});
  pump.beat(t0 + 4800ms);
  CHECK(fleet.told() == Words{"slow_beats pump-7"});
  CHECK(fleet.last(Kind::Slow).extra->spacing == 1200ms);
  for (int beats = 5; beats <= 20; ++beats) {
    pump.beat(t0 + beats * 1200ms);
    lamp.beat(t0 + beats * 1200ms);
  }
  for (const std::string& word : fleet.told()) CHECK_FALSE(word.starts_with("slow_beats"));
}

TEST_CASE("beats up to a tenth slower than the tick are not called slow") {
  const auto told_slow = [](Millis interval) {
    Fleet fleet{{.rule = kArticle}};
    const Peer pump = fleet.join(t0);
    for (int beats = 1; beats <= 50; ++beats) pump.beat(t0 + beats * interval);
    const Words told = fleet.told();
    return std::count(told.begin(), told.end(), "slow_beats 10.0.0.1:40001");
  };
  CHECK(told_slow(1000ms) == 0);
  CHECK(told_slow(1100ms) == 0);
  CHECK(told_slow(1101ms) == 1);
}

TEST_CASE("a lost beat now and then, jitter or a pause is not called slow") {
  Fleet fleet{{.rule = kArticle}};
  const Peer peer = fleet.join(t0);
  SUBCASE("one beat in five is lost") {
    for (int second = 1; second <= 400; ++second) {
      if (second % 5 != 0) peer.beat(t0 + second * 1s);
    }
  }
  SUBCASE("each beat is up to half a second late") {
    for (int second = 1; second <= 400; ++second) peer.beat(t0 + second * 1s + second * 7 % 11 * 50ms);
  }
  SUBCASE("five seconds of silence in every twenty") {
    for (int second = 1; second <= 400; ++second) {
      if (second % 20 < 15) peer.beat(t0 + second * 1s);
    }
  }
  for (const std::string& word : fleet.told()) CHECK_FALSE(word.starts_with("slow_beats"));
}

TEST_CASE("each heartbeat is told where the settings ask for it") {
  Fleet fleet{{.report_heartbeats = true}};
  const Peer pump = fleet.join(t0, "pump-7");
  static_cast<void>(fleet.told());
  pump.say(t0 + 1s, {.ip = "10.9.9.9", .status = Status::Leave, .pid = 5, .seq = 7});
  CHECK(fleet.told() == Words{"leave pump-7 declared", "heartbeat pump-7"});
  const Event& heard = fleet.last(Kind::Heard);
  CHECK(heard.extra->declared == Status::Leave);
  CHECK(heard.extra->seq == 7U);
  CHECK(heard.pid == 5U);
  CHECK(heard.claimed_ip == "10.9.9.9");
  CHECK(heard.heartbeats == 2);
}

TEST_CASE("a stall is told and counted") {
  Monitor monitor{{}};
  Effects effects;
  monitor.stalled(9s, t0, effects);
  monitor.stalled(1s, t0 + 1s, effects);
  REQUIRE(effects.events().size() == 2);
  CHECK(effects.events()[0].kind == Kind::Stalled);
  CHECK(effects.events()[0].extra->stalled == 9s);
  CHECK(monitor.counters().stalls == 2);
  CHECK(monitor.counters().stalled == 10s);
}

TEST_CASE("the roster changes when names or statuses do, and not with each heartbeat") {
  Fleet fleet{{.rule = kArticle}};
  std::uint64_t before = fleet.monitor().roster_version();
  const auto changed = [&] {
    const bool yes = fleet.monitor().roster_version() != before;
    before = fleet.monitor().roster_version();
    return yes;
  };
  const Peer pump = fleet.join(t0);
  CHECK(changed());
  pump.beat(t0 + 500ms);
  CHECK_FALSE(changed());
  pump.say(t0 + 600ms, {.id = "pump-7"});
  CHECK(changed());
  fleet.advance(t0 + 6s);  // a strike
  CHECK_FALSE(changed());
  pump.say(t0 + 6s, {.status = Status::Leave});
  CHECK(changed());
  for (int second = 7; second <= 11; ++second) pump.beat(t0 + second * 1s);
  CHECK_FALSE(changed());
  fleet.advance(t0 + 12s);
  CHECK(changed());
  static_cast<void>(fleet.join(t0 + 12s, "pump-7"));
  CHECK(changed());
  fleet.shut_down(t0 + 13s);
  CHECK(changed());
}

TEST_CASE("frames may arrive in pieces, and count when they are whole") {
  Fleet fleet;
  const Peer pump = fleet.connect(t0);
  std::string bytes;
  append_frame(bytes, encode({.ip = "a", .id = "pump-7"}));
  append_frame(bytes, encode({.ip = "a"}));
  for (std::size_t at = 0; at < bytes.size(); ++at)
    pump.send(t0 + Millis{static_cast<int>(at)}, bytes.substr(at, 1));
  CHECK(pump.client().heartbeats == 2);
  CHECK(pump.client().last_heard == t0 + Millis{static_cast<int>(bytes.size()) - 1});
}
