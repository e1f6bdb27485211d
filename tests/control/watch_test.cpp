#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/control/support/desk.h"

using namespace std::chrono_literals;
using namespace heartbeat;
using heartbeat::test::Desk;
using heartbeat::test::member;

namespace {

// All that there is to tell now.
std::vector<std::string> told(Answer& answer, unsigned steps = limits::kControlStepsPerTurn) {
  std::vector<std::string> all;
  for (;;) {
    const Desk::Slice slice = Desk::next_slice(answer, steps);
    all.insert(all.end(), slice.bodies.begin(), slice.bodies.end());
    REQUIRE(slice.state != Answer::State::Done);
    if (slice.state == Answer::State::WaitsForEvents) return all;
  }
}

std::vector<std::string> told_members(Answer& answer, const char* name) {
  std::vector<std::string> values;
  for (const std::string& body : told(answer)) values.push_back(member(body, name));
  return values;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a watcher gets what happens from now on, each event once and in order") {
  Desk desk;
  desk.join("before");
  const auto watch = desk.ask(R"({"command":"watch"})");
  CHECK(watch->is_endless());
  CHECK(told(*watch).empty());
  const ConnId conn = desk.join("pump-7");
  CHECK(told_members(*watch, "event") == Texts{"connected", "joined"});
  desk.leave(conn);
  const auto close = told(*watch);
  REQUIRE(close.size() == 1);
  CHECK(member(close[0], "type") == "event");
  CHECK(member(close[0], "event") == "close");
  CHECK(member(close[0], "client") == "pump-7");
  CHECK(member(close[0], "reason") == "peer_closed");
  CHECK(member(close[0], "seq") == "5");
  CHECK(member(close[0], "cursor") == desk.boot().id + ":5");
  CHECK(told(*watch).empty());
}

TEST_CASE("a watcher gets only what it asked for") {
  Desk desk;
  const auto leaves = desk.ask(R"({"command":"watch","events":["leave","close"]})");
  const auto pumps = desk.ask(R"({"command":"watch","match":"pump-*"})");
  const ConnId pump = desk.join("pump-7");
  const ConnId fan = desk.join("fan-1");
  desk.beat(pump, "", "leave");
  desk.leave(fan);
  desk.stall(3s);
  CHECK(told_members(*leaves, "client") == Texts{"pump-7", "fan-1"});
  CHECK(told_members(*pumps, "event") == Texts{"joined", "leave"});
}

TEST_CASE("a snapshot comes first, and what happened while it was made comes after it") {
  Desk desk;
  desk.join("a");
  desk.join("b");
  desk.pass(1ms);
  const auto watch = desk.ask(R"({"command":"watch","snapshot":true})");
  auto all = Desk::next_slice(*watch, 1).bodies;
  CHECK(all.size() == 1);
  desk.pass(1ms);
  desk.join("c");
  for (const std::string& body : told(*watch)) all.push_back(body);
  Texts seen;
  for (const std::string& body : all) {
    const std::string type = member(body, "type");
    seen.push_back(type == "client" ? member(body, "name") : type == "event" ? member(body, "event") : type);
  }
  CHECK(seen == Texts{"a", "b", "snapshot_end", "connected", "joined"});
  CHECK(member(all[2], "count") == "2");
}

TEST_CASE("a watcher that resumes gets exactly what it has not seen") {
  Desk desk;
  desk.join("a");
  const std::string since = desk.boot().id + ":1";
  const auto watch = desk.ask(R"({"command":"watch","since":")" + since + "\"}");
  CHECK(told_members(*watch, "seq") == Texts{"2"});
  const auto nothing_new = desk.ask(R"({"command":"watch","since":")" + desk.boot().id + ":2\"}");
  CHECK(told(*nothing_new).empty());
  const auto from_the_start = desk.ask(R"({"command":"watch","since":")" + desk.boot().id + ":0\"}");
  CHECK(told_members(*from_the_start, "seq") == Texts{"1", "2"});
}

TEST_CASE("an event that has not happened cannot be resumed after") {
  Desk desk;
  desk.join("a");
  const auto bodies = desk.answer(R"({"command":"watch","since":")" + desk.boot().id + ":3\"}");
  REQUIRE(bodies.size() == 1);
  CHECK(member(bodies[0], "code") == "bad_request");
}

TEST_CASE("a watcher of an earlier run learns so, and then gets all that this run still holds") {
  Desk desk;
  desk.join("a");
  const auto watch = desk.ask(R"({"command":"watch","since":"ffee:41"})");
  const auto bodies = told(*watch);
  REQUIRE(bodies.size() == 3);
  CHECK(member(bodies[0], "type") == "lost");
  CHECK(member(bodies[0], "count").empty());
  CHECK(member(bodies[1], "seq") == "1");
}

TEST_CASE("a watcher that falls behind learns how many events it missed, and goes on with the oldest held") {
  Desk desk;
  const auto watch = desk.ask(R"({"command":"watch"})");
  const auto fill = [&](std::size_t events) {
    for (std::size_t at = 0; at < events; ++at) desk.connect();
  };
  fill(limits::kFeedMax);
  auto bodies = told(*watch);
  REQUIRE(bodies.size() == limits::kFeedMax);
  CHECK(member(bodies[0], "seq") == "1");

  fill(limits::kFeedMax + 3);
  bodies = told(*watch);
  REQUIRE(bodies.size() == limits::kFeedMax + 1);
  CHECK(member(bodies[0], "type") == "lost");
  CHECK(member(bodies[0], "count") == "3");
  CHECK(member(bodies[1], "seq") == std::to_string(limits::kFeedMax + 4));
}

TEST_CASE("a slice of a watch is bounded like any other") {
  Desk desk;
  const auto watch = desk.ask(R"({"command":"watch","match":"nobody"})");
  for (std::size_t at = 0; at < limits::kFeedMax; ++at) desk.connect();
  const Desk::Slice slice = Desk::next_slice(*watch);
  CHECK(slice.state == Answer::State::Unfinished);
  CHECK(slice.steps == limits::kControlStepsPerTurn);
}
