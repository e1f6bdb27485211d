#include "daemon/control/commands.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/control/support/desk.h"

using namespace std::chrono_literals;
using namespace heartbeat;
using heartbeat::test::Desk;
using heartbeat::test::member;

TEST_CASE("a request that is wrong is answered with one error") {
  Desk desk;
  const auto bodies = desk.answer(R"({"command":"dance"})");
  REQUIRE(bodies.size() == 1);
  CHECK(member(bodies[0], "type") == "error");
  CHECK(member(bodies[0], "code") == "bad_request");
  CHECK_FALSE(member(bodies[0], "message").empty());
}

TEST_CASE("a kick says for each whether it was there, and how many were") {
  Desk desk;
  desk.join("pump-7");
  const auto bodies = desk.answer(R"({"command":"kick","clients":["pump-7","pump-8","pump-7"]})");
  REQUIRE(bodies.size() == 4);
  CHECK(bodies[0] == R"({"type":"kicked","client":"pump-7"})");
  CHECK(bodies[1] == R"({"type":"not_found","client":"pump-8"})");
  CHECK(bodies[2] == R"({"type":"not_found","client":"pump-7"})");
  CHECK(bodies[3] == R"({"type":"done","count":1})");
  CHECK(desk.monitor().clients().size() == 0);
}

TEST_CASE("a kick of many is made in slices like a list") {
  Desk desk;
  std::string names;
  for (int at = 0; at < 100; ++at) {
    desk.join("c" + std::to_string(at));
    names += (at == 0 ? "\"c" : ",\"c") + std::to_string(at) + "\"";
  }
  const auto answer = desk.ask(R"({"command":"kick","clients":[)" + names + "]}");
  const Desk::Slice slice = Desk::next_slice(*answer);
  CHECK(slice.state == Answer::State::Unfinished);
  CHECK(slice.bodies.size() == limits::kControlStepsPerTurn / limits::kStepsPerKick);
  CHECK(desk.monitor().clients().size() == 100 - slice.bodies.size());
}

TEST_CASE("a client without an id is kicked by its address, and one with an id is not") {
  Desk desk;
  desk.join("");
  desk.join("pump-7");
  const auto bodies = desk.answer(R"({"command":"kick","clients":["127.0.0.1:0","127.0.0.1:1"]})");
  CHECK(member(bodies[0], "type") == "kicked");
  CHECK(member(bodies[1], "type") == "not_found");
}

TEST_CASE("a client that has come to another daemon is closed by its connection, and a later one is not") {
  Desk desk;
  desk.join("pump-7");
  const std::string other = R"({"command":"supersede","client":"pump-7","peer":"127.0.0.1:9","by":"n2"})";
  CHECK(member(desk.answer(other)[0], "code") == "no_such_client");
  CHECK(desk.monitor().clients().size() == 1);

  const std::string peer = to_string(desk.client("pump-7").peer);
  const auto bodies =
      desk.answer(R"({"command":"supersede","client":"pump-7","by":"n2","peer":")" + peer + "\"}");
  CHECK(member(bodies[0], "type") == "done");
  CHECK(desk.monitor().clients().size() == 0);
  const Event& event = *desk.feed().find(desk.feed().next() - 1);
  CHECK(event.reason == Reason::Superseded);
  CHECK(event.extra->detail == "the client has come to the daemon of n2");
}

TEST_CASE("a client that was in leave at another daemon starts in leave, once") {
  Desk desk;
  desk.join("pump-7");
  const std::string peer = to_string(desk.client("pump-7").peer);
  const std::string request = R"({"command":"remember","client":"pump-7","peer":")" + peer + "\"}";
  CHECK(member(desk.answer(request)[0], "type") == "done");
  const Client& client = desk.client("pump-7");
  CHECK(client.liveness.status() == Status::Leave);
  CHECK(client.leave_reason == Reason::Remembered);
  CHECK(member(desk.answer(request)[0], "code") == "no_such_client");
  // With a leave period of its own, which ends in a close.
  desk.pass(desk.monitor().settings().rule.leave_timeout + Millis{1});
  CHECK(desk.monitor().clients().size() == 0);
}

TEST_CASE("why knows nothing of a client that never was") {
  Desk desk;
  const auto bodies = desk.answer(R"({"command":"why","client":"pump-8"})");
  REQUIRE(bodies.size() == 1);
  CHECK(member(bodies[0], "code") == "no_such_client");
}

TEST_CASE("a reload that failed is an error with every sentence") {
  Desk desk;
  desk.next_reload.errors = {"a: 1", "b: 2"};
  const auto bodies = desk.answer(R"({"command":"reload"})");
  REQUIRE(bodies.size() == 1);
  CHECK(member(bodies[0], "code") == "config_invalid");
  CHECK(member(bodies[0], "errors") == R"(["a: 1","b: 2"])");
}

TEST_CASE("an order that concerns every client waits while clients are being judged") {
  for (const char* const request : {R"({"command":"reload"})", R"({"command":"brake","action":"confirm"})"}) {
    CAPTURE(request);
    Desk desk;
    desk.is_judging = true;
    const auto answer = desk.ask(request);
    const Desk::Slice waiting = Desk::next_slice(*answer);
    CHECK(waiting.state == Answer::State::WaitsForTurn);
    CHECK(waiting.bodies.empty());
    desk.is_judging = false;
    CHECK(Desk::next_slice(*answer).state == Answer::State::Done);
  }
}

TEST_CASE("a reload says what changed and what needs a restart") {
  Desk desk;
  desk.next_reload = {
      .changed = {{"tick", "10s", "5s"}}, .needs_restart = {{"control", "", "/x"}}, .errors = {}};
  const auto bodies = desk.answer(R"({"command":"reload"})");
  REQUIRE(bodies.size() == 1);
  CHECK(bodies[0] ==
        R"({"type":"done","changed":[{"name":"tick","from":"10s","to":"5s"}],"needs_restart":["control"]})");
}

TEST_CASE("settings are answered as they are given") {
  Desk desk;
  desk.settings = {{"tick", "10s", "default"}};
  const auto bodies = desk.answer(R"({"command":"settings"})");
  REQUIRE(bodies.size() == 2);
  CHECK(bodies[0] == R"({"type":"setting","name":"tick","value":"10s","origin":"default"})");
}

TEST_CASE("bytes that are not a frame are answered with what a frame is") {
  const auto answer = answer_to_no_frame(1'347'375'956);
  const Desk::Slice slice = Desk::next_slice(*answer);
  REQUIRE(slice.bodies.size() == 1);
  CHECK(member(slice.bodies[0], "code") == "bad_request");
  CHECK(member(slice.bodies[0], "message").find("1347375956") != std::string::npos);
}
