#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "tests/control/support/desk.h"

using namespace std::chrono_literals;
using namespace heartbeat;
using heartbeat::test::Desk;
using heartbeat::test::member;

namespace {

// The names in an answer, which ends with `done` and their count.
std::vector<std::string> names_of(const std::vector<std::string>& bodies) {
  std::vector<std::string> names;
  for (const std::string& body : bodies) {
    if (member(body, "type") == "closed") names.push_back(member(body, "name"));
  }
  REQUIRE(member(bodies.back(), "type") == "done");
  CHECK(member(bodies.back(), "count") == std::to_string(names.size()));
  return names;
}

std::vector<std::string> names(Desk& desk, std::string_view members,
                               unsigned steps_per_turn = limits::kControlStepsPerTurn) {
  return names_of(desk.answer(R"({"command":"closed")" + std::string{members} + "}", steps_per_turn));
}

using Names = std::vector<std::string>;

// pump-1 ended its connection at first, pump-2 broke it off a minute later, and valve-3 a minute after that.
void close_three(Desk& desk) {
  const ConnId first = desk.join("pump-1");
  const ConnId second = desk.join("pump-2");
  const ConnId third = desk.join("valve-3");
  desk.leave(first);
  desk.pass(1min);
  desk.disconnect(second, Reason::Reset);
  desk.pass(1min);
  desk.leave(third);
}

}  // namespace

TEST_CASE("no client is listed where none was closed") {
  Desk desk;
  desk.join("pump-1");
  CHECK(names(desk, "").empty());
}

TEST_CASE("closed clients are listed from the one closed last") {
  Desk desk;
  close_three(desk);
  CHECK(names(desk, "") == Names{"valve-3", "pump-2", "pump-1"});
  CHECK(names(desk, R"(,"limit":2)") == Names{"valve-3", "pump-2"});
  const auto bodies = desk.answer(R"({"command":"closed","limit":1})");
  CHECK(member(bodies.back(), "matching") == "3");
  CHECK(member(bodies.back(), "remembered") == "3");
}

TEST_CASE("each closed client is listed with its close") {
  Desk desk;
  close_three(desk);
  const auto bodies = desk.answer(R"({"command":"closed","match":"pump-2"})");
  REQUIRE(bodies.size() == 2);
  CHECK(member(bodies[0], "status") == "close");
  CHECK(member(bodies[0], "close") == R"({"at":"2026-11-22T09:01:00.000Z","reason":"reset","by":"client"})");
}

TEST_CASE("a list of closed clients has those of the reason, the time and the pattern") {
  Desk desk;
  close_three(desk);
  CHECK(names(desk, R"(,"reason":"peer_closed")") == Names{"valve-3", "pump-1"});
  CHECK(names(desk, R"(,"reason":"kicked")").empty());
  CHECK(names(desk, R"(,"match":"pump-*")") == Names{"pump-2", "pump-1"});
  const std::string peer = member(desk.answer(R"({"command":"closed","match":"pump-1"})")[0], "peer");
  CHECK(names(desk, R"(,"match":")" + peer + '"') == Names{"pump-1"});
  CHECK(names(desk, R"(,"since":"1min")") == Names{"valve-3", "pump-2"});
  CHECK(names(desk, R"(,"since":"59s")") == Names{"valve-3"});
}

TEST_CASE("a client that is back is not listed") {
  Desk desk;
  close_three(desk);
  desk.join("pump-2");
  CHECK(names(desk, "") == Names{"valve-3", "pump-1"});
}

TEST_CASE("a list that is made in many turns leaves out a client that comes back meanwhile") {
  Desk desk;
  for (unsigned at = 0; at < 50; ++at) desk.leave(desk.join("c" + std::to_string(at)));
  const auto answer = desk.ask(R"({"command":"closed"})");
  std::vector<std::string> bodies;
  for (bool is_done = false; !is_done;) {
    auto slice = Desk::next_slice(*answer, 16);
    CHECK(slice.steps <= 16 + limits::kStepsPerObject);
    is_done = slice.state == Answer::State::Done;
    bodies.insert(bodies.end(), slice.bodies.begin(), slice.bodies.end());
    if (!bodies.empty() && desk.monitor().clients().size() == 0) desk.join("c7");
  }
  const Names listed = names_of(bodies);
  CHECK(listed.size() == 49);
  CHECK(std::find(listed.begin(), listed.end(), "c7") == listed.end());
}

TEST_CASE("a wrong question about closed clients is answered with what would be right") {
  Desk desk;
  const auto refusal = [&](std::string_view members) {
    return member(desk.answer(R"({"command":"closed")" + std::string{members} + "}")[0], "message");
  };
  CHECK(refusal(R"(,"since":"10")") == "'since': '10' has no unit (did you mean 10s or 10ms?)");
  CHECK(refusal(R"(,"reason":"steady")").starts_with("'reason': 'steady' is not one of silent, "));
  CHECK(refusal(R"(,"limit":0)") == "'limit' must be a whole number from 1 to 10000");
}
