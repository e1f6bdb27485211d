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
  for (const char* const request : {R"({"command":"reload"})", R"({"command":"brake","action":"confirm"})",
                                    R"({"command":"hold","match":"*","for_ms":1000,"why":"x"})",
                                    R"({"command":"release","match":"*"})"}) {
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

TEST_CASE("a hold is answered with its end, shown with its clients, and ended by its pattern") {
  Desk desk;
  desk.join("pump-7");
  desk.join("valve-1");
  const std::string until = "2026-11-22T11:00:00.000Z";
  CHECK(desk.answer(R"({"command":"hold","match":"pump-*","for_ms":7200000,"why":"new firmware"})") ==
        std::vector<std::string>{R"({"type":"done","until":")" + until + "\"}"});
  const std::string hold = R"({"match":"pump-*","why":"new firmware","uid":1000,)"
                           R"("since":"2026-11-22T09:00:00.000Z","until":")" +
                           until + "\"}";
  CHECK(member(desk.answer(R"({"command":"clients","match":"pump-7"})")[0], "hold") == hold);
  CHECK(member(desk.answer(R"({"command":"clients","match":"valve-1"})")[0], "hold").empty());
  CHECK(member(desk.answer(R"({"command":"status"})")[0], "holds") == "[" + hold + "]");
  CHECK(member(desk.answer(R"({"command":"release","match":"pump-7"})")[0], "code") == "no_hold");
  CHECK(member(desk.answer(R"({"command":"release","match":"pump-*"})")[0], "type") == "done");
  CHECK(member(desk.answer(R"({"command":"clients","match":"pump-7"})")[0], "hold").empty());
  CHECK(member(desk.answer(R"({"command":"status"})")[0], "holds") == "[]");
}

TEST_CASE("closed clients are forgotten by a pattern, in slices, and connected ones are not") {
  Desk desk;
  for (const char* const name : {"pump-1", "pump-2", "valve-1"}) desk.leave(desk.join(name));
  desk.join("pump-3");
  const auto bodies = desk.answer(R"({"command":"forget","match":"pump-*"})", 1000);
  CHECK(bodies == std::vector<std::string>{R"({"type":"done","count":2})"});
  CHECK(desk.monitor().closed_clients().find("pump-1") == nullptr);
  CHECK(desk.monitor().closed_clients().find("valve-1") != nullptr);
  CHECK(desk.monitor().clients().size() == 1);
  CHECK(desk.answer(R"({"command":"forget","match":"pump-*"})")[0] == R"({"type":"done","count":0})");
}

TEST_CASE("one hold more than may last at once is refused") {
  Desk desk;
  const auto hold = [&](std::size_t number) {
    return desk.answer(R"({"command":"hold","for_ms":1000,"why":"x","match":"p)" + std::to_string(number) +
                       "\"}")[0];
  };
  for (std::size_t at = 0; at < limits::kHoldsMax; ++at) CHECK(member(hold(at), "type") == "done");
  CHECK(member(hold(limits::kHoldsMax), "code") == "too_many");
  CHECK(member(hold(0), "type") == "done");
}

TEST_CASE("a drain has bounds, shows in status, and ends") {
  Desk desk;
  desk.join("pump-1");
  CHECK(member(desk.answer(R"({"command":"drain","stop":true})")[0], "code") == "no_drain");
  const std::string most = std::to_string(limits::kDrainRateMax);
  const std::string more = std::to_string(limits::kDrainRateMax + 1);
  const auto drain = [&](const std::string& member) {
    return desk.answer(R"({"command":"drain",)" + member + "}")[0];
  };
  for (const std::string& wrong :
       {R"("rate":0)" + std::string{}, R"("rate":)" + more, std::string{R"("retry_after_ms":3600001)"}}) {
    CHECK(member(drain(wrong), "code") == "bad_request");
  }
  CHECK(member(desk.answer(R"({"command":"status"})")[0], "drain").empty());
  CHECK(drain(R"("rate":)" + most + R"(,"retry_after_ms":3600000)") ==
        R"({"type":"done","rate":10000,"count":1})");
  CHECK(drain(R"("rate":1)") == R"({"type":"done","rate":1,"count":1})");
  const std::string shown = member(desk.answer(R"({"command":"status"})")[0], "drain");
  CHECK(shown.find(R"("uid":1000,"rate":1,"retry_after_ms":10000,"drained":0,"left":1,"complete":false})") !=
        std::string::npos);
  CHECK(desk.answer(R"({"command":"drain","stop":true})")[0] == R"({"type":"done","count":0})");
}

TEST_CASE("status lists the groups in their order, each with its clients and its rule") {
  const NamePattern pattern{.text = "game-*", .glob = *Glob::compile("game-*")};
  Settings settings;
  settings.groups = GroupList{{Group{.name = "games", .ids = {pattern}, .rule = {.tick = Millis{1000}}}}};
  Desk desk{settings};
  desk.join("game-1");
  desk.join("pump-1");
  desk.join("pump-2");
  desk.beat(desk.join("game-2"), {}, "leave");
  CHECK(member(desk.answer(R"({"command":"status"})")[0], "groups") ==
        R"([{"name":"games","alive":1,"leave":1,"rule":{"tick_ms":1000,"threshold":5,"cursor":3,"recover":5,)"
        R"("leave_timeout_ms":1800000}},{"name":"default","alive":2,"leave":0,"rule":{"tick_ms":10000,)"
        R"("threshold":5,"cursor":3,"recover":5,"leave_timeout_ms":1800000}}])");
  desk.leave(desk.join("game-3"));
  desk.leave(desk.join("pump-3"));
  CHECK(desk.answer(R"({"command":"clients","group":"games"})").size() == 3);
  CHECK(desk.answer(R"({"command":"closed","group":"games"})").size() == 2);
  CHECK(desk.answer(R"({"command":"closed","group":"default"})").size() == 2);
  CHECK(member(desk.answer(R"({"command":"closed","group":"games"})")[0], "name") == "game-3");
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
