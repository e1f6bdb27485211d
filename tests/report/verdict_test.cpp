#include "daemon/report/verdict.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/control/support/desk.h"

using namespace std::chrono_literals;
using namespace heartbeat;
using heartbeat::test::Desk;

namespace {

std::string verdict(const Desk& desk, const std::string& name) {
  const ClosedClient* const closed = desk.monitor().closed_clients().find(name);
  if (closed != nullptr) return verdict_of(*closed, desk.monitor().stalls(), desk.report());
  return verdict_of(desk.client(name), desk.monitor().stalls(), desk.report());
}

}  // namespace

TEST_CASE("silence to the end: the worked example of the rule") {
  Desk desk;
  desk.join("pump-7");
  desk.pass(1960s);
  CHECK(verdict(desk, "pump-7") ==
        "kicked at 09:32:40 UTC: in leave for 30 min after 15 silent ticks; "
        "the daemon itself was stalled for none of them");
}

TEST_CASE("the daemon's own stalls are laid over the silence that they overlap") {
  Desk desk;
  desk.stall(7s);
  desk.join("pump-7");
  desk.pass(30s);
  desk.stall(5s);
  desk.pass(30s);
  desk.stall(2s);
  desk.pass(1901s);
  desk.stall(9s);
  CHECK(verdict(desk, "pump-7") ==
        "kicked at 09:32:54 UTC: in leave for 30 min after 15 silent ticks; "
        "the daemon itself was stalled 2 times meanwhile, for 7 s in all, which is not counted");
}

TEST_CASE("one stall is reported as one") {
  Desk desk;
  desk.join("pump-7");
  desk.pass(30s);
  desk.stall(1500ms);
  desk.pass(131s);
  CHECK(
      verdict(desk, "pump-7") ==
      "in leave since 09:02:41 UTC after 15 silent ticks; the daemon itself was stalled once meanwhile, for "
      "1.5 s, which is not counted; it will be closed at 09:32:41 UTC unless it is heard in 5 ticks in a "
      "row before (so far 0)");
}

TEST_CASE("where more stalls happened than are remembered nothing is claimed") {
  Desk desk;
  desk.join("pump-7");
  desk.pass(161s);
  for (std::size_t at = 0; at < limits::kStallsMax; ++at) desk.stall(1s);
  CHECK(verdict(desk, "pump-7").find("no longer known") != std::string::npos);
}

TEST_CASE("a leave that came with strikes far apart says so") {
  Desk desk;
  const ConnId conn = desk.join("pump-7");
  desk.pass(65s);
  desk.beat(conn);
  desk.pass(1s);
  CHECK(verdict(desk, "pump-7") ==
        "alive with 1 of 3 strikes: heard 1 s ago; if it stays silent, it is in leave at 09:02:50 UTC");
  desk.pass(300s);
  CHECK(
      verdict(desk, "pump-7")
          .starts_with("in leave since 09:02:50 UTC after 3 strikes, the last 10 ticks without a heartbeat; "
                       "the daemon itself was stalled for none of them; "));
}

TEST_CASE("heartbeats in leave that were not steady enough are reported") {
  Desk desk;
  const ConnId conn = desk.join("pump-7");
  desk.pass(170s);
  desk.beat(conn);
  desk.pass(1790s);
  CHECK(
      verdict(desk, "pump-7") ==
      "kicked at 09:32:40 UTC: in leave for 30 min after 15 silent ticks; the daemon itself was stalled for "
      "none of them; it was heard again in leave, but was not heard in 5 ticks in a row since");
}

TEST_CASE("a connection without a heartbeat is reported as that, with what has come of its first frame") {
  Desk desk;
  const ConnId conn = desk.connect();
  desk.pass(2s);
  CHECK(
      verdict(desk, "127.0.0.1:0") ==
      "connected, and has not sent a heartbeat in 2 s; it will be closed at 09:00:30 UTC unless a heartbeat "
      "comes before (hello_timeout)");
  desk.send(conn, std::string{"\0\0", 2});
  CHECK(
      verdict(desk, "127.0.0.1:0") ==
      "connected, and has not sent a heartbeat in 2 s; it will be closed at 09:00:30 UTC unless a heartbeat "
      "comes before (hello_timeout); so far only 2 of the 4 bytes of a frame's length came; the bytes are "
      R"("\x00\x00")");
}

TEST_CASE("a client with an id is found by its address as well") {
  Desk desk;
  desk.join("pump-7");
  desk.pass(2s);
  CHECK(verdict(desk, "127.0.0.1:0") == "alive with a clean record: heard 2 s ago");
}

TEST_CASE("a client that is well is described in few words") {
  Desk desk;
  const ConnId conn = desk.connect();
  desk.pass(2s);
  desk.beat(conn, "pump-7");
  desk.pass(1500ms);
  CHECK(verdict(desk, "pump-7") == "alive with a clean record: heard 1.5 s ago");
  desk.pass(18s);
  CHECK(verdict(desk, "pump-7") ==
        "alive with 1 silent tick: heard 19.5 s ago; if it stays silent, it is in leave at 09:02:40 UTC");
}

TEST_CASE("of a client that beat too fast the verdict says so, and whether it is read at this moment") {
  Desk desk{{.bounds = {.max_rate = 1}}};
  const ConnId fast = desk.join("pump-7");
  for (unsigned beat = 0; beat < limits::kBeatBurstMin; ++beat) desk.beat(fast, "pump-7");
  const auto verdict = [&] {
    return verdict_of(desk.client("pump-7"), desk.monitor().stalls(), desk.report());
  };
  CHECK(verdict() ==
        "alive with a clean record: heard 0 ms ago; it beats faster than max_rate, and is not read just now");
  desk.pass(Millis{5'000});
  desk.beat(fast, "pump-7");
  CHECK(verdict() ==
        "alive with a clean record: heard 0 ms ago; it beat faster than max_rate on this connection, and is "
        "read no faster");
}

TEST_CASE("a client that never said anything was silent from its accept on") {
  Desk desk{{.bounds = {.hello_timeout = 0s}}};
  desk.connect();
  desk.pass(150s);
  CHECK(verdict(desk, "127.0.0.1:0").starts_with("in leave since 09:02:30 UTC after 15 silent ticks; "));
}

TEST_CASE("a declared leave is the client's own doing") {
  Desk desk;
  const ConnId conn = desk.join("pump-7");
  desk.beat(conn, "", "leave");
  CHECK(verdict(desk, "pump-7") ==
        "in leave since 09:00:00 UTC, which it declared itself; it will be closed at 09:30:00 UTC unless it "
        "is heard in 5 ticks in a row before (so far 0)");
  desk.pass(1800s);
  CHECK(verdict(desk, "pump-7") ==
        "kicked at 09:30:00 UTC: it declared leave itself 30 min before, and was not heard in 5 ticks in a "
        "row since");
}

TEST_CASE("what a client says of its declared leave is quoted, as long as it is in that leave and after it") {
  Desk desk;
  const ConnId conn = desk.join("pump-7");
  desk.beat(conn, "", "leave", "disk is being\nreplaced");
  CHECK(verdict(desk, "pump-7")
            .starts_with("in leave since 09:00:00 UTC, which it declared itself, saying "
                         R"("disk is being\nreplaced"; it will be closed)"));
  desk.beat(conn, "", "leave", "still");
  desk.pass(1800s);
  CHECK(
      verdict(desk, "pump-7") ==
      R"(kicked at 09:30:00 UTC: it declared leave itself 30 min before, saying "still", and was not heard )"
      "in 5 ticks in a row since");
}

TEST_CASE("a declared leave without a note does not repeat the note of an earlier one") {
  Desk desk;
  const ConnId conn = desk.join("pump-7");
  desk.beat(conn, "", "leave", "an earlier one");
  desk.beat(conn);
  desk.beat(conn, "", "leave");
  CHECK(verdict(desk, "pump-7").find("saying") == std::string::npos);
}

TEST_CASE("of a client that came back in leave the verdict says so") {
  Desk desk;
  const ConnId conn = desk.join("pump-7");
  desk.beat(conn, "", "leave");
  desk.leave(conn);
  desk.pass(1min);
  desk.join("pump-7");
  CHECK(verdict(desk, "pump-7")
            .starts_with("in leave since 09:01:00 UTC, for it was in leave when it was closed before; "));
  desk.pass(31min);
  CHECK(verdict(desk, "pump-7") ==
        "kicked at 09:31:00 UTC: it came back in leave, as it was when it was closed before, and in 30 min "
        "did not earn alive again");
}

TEST_CASE("every other end has a sentence of its own") {
  Desk desk;
  const auto after_3s = [&](const char* name) {
    const ConnId conn = desk.join(name);
    desk.pass(3s);
    return conn;
  };
  desk.beat(after_3s("goodbye"), "", "close");
  CHECK(verdict(desk, "goodbye") == "said goodbye at 09:00:03 UTC, after 3 s and 2 heartbeats");
  desk.disconnect(after_3s("eof"), Reason::PeerClosed);
  CHECK(verdict(desk, "eof") ==
        "closed its connection at 09:00:06 UTC without a goodbye, 3 s after its last heartbeat");
  desk.disconnect(after_3s("reset"), Reason::Reset);
  CHECK(verdict(desk, "reset") ==
        "its connection broke at 09:00:09 UTC (reset by its machine or the network), 3 s after its last "
        "heartbeat");
  desk.disconnect(after_3s("limit"), Reason::Limit);
  CHECK(verdict(desk, "limit") ==
        "closed at 09:00:12 UTC for more than the daemon allows: it did not read what it was sent");
  after_3s("kicked");
  desk.kick("kicked", "moving you");
  CHECK(verdict(desk, "kicked") == "kicked by an operator at 09:00:15 UTC: moving you");
  after_3s("quietly");
  desk.kick("quietly", "");
  CHECK(verdict(desk, "quietly") == "kicked by an operator at 09:00:18 UTC");
  const ConnId away = desk.join("left");
  desk.beat(away, "", "leave");
  desk.disconnect(away, Reason::PeerClosed);
  CHECK(verdict(desk, "left") ==
        "closed its connection at 09:00:18 UTC without a goodbye, 0 ms after its last heartbeat, while in "
        "leave");
}

TEST_CASE("ends that the daemon makes for bad input tell what was wrong") {
  ClosedClient client;
  client.closed_at = heartbeat::test::kStart;
  client.connected_at = heartbeat::test::kStart - 10s;
  const Desk desk;
  const auto described = [&](Reason reason, const char* detail) {
    client.reason = reason;
    client.detail = detail;
    return verdict_of(client, {}, desk.report());
  };
  CHECK(described(Reason::BadFrame, "frame length 0 is not positive") ==
        "closed at 09:00:00 UTC for bytes that are not a frame: frame length 0 is not positive");
  CHECK(described(Reason::BadHeartbeat, "x") ==
        "closed at 09:00:00 UTC for a frame that is not a heartbeat: x");
  CHECK(described(Reason::NeverSpoke, "") == "closed at 09:00:00 UTC, having sent nothing in 10 s");
  CHECK(described(Reason::FrameTimeout, "") == "closed at 09:00:00 UTC for a frame that it did not finish");
  CHECK(described(Reason::Shutdown, "") == "closed at 09:00:00 UTC because the daemon was shut down");
  CHECK(described(Reason::Superseded, "") == "superseded at 09:00:00 UTC by another connection");
  for (std::size_t reason = 0; reason < kReasonCount; ++reason) {
    CHECK_FALSE(described(static_cast<Reason>(reason), "").empty());
  }
}

TEST_CASE("what happened on another day is written with its date") {
  Desk desk;
  desk.join("pump-7");
  desk.kick("pump-7", "");
  desk.pass(24h);
  CHECK(verdict(desk, "pump-7") == "kicked by an operator at 2026-11-22 09:00:00 UTC");
}
