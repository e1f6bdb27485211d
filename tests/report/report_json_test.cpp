// The shapes that docs/control.md promises.
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "daemon/report/brake_json.h"
#include "daemon/report/client_json.h"
#include "daemon/report/event_json.h"
#include "daemon/report/status_json.h"
#include "daemon/report/story_json.h"
#include "tests/control/support/desk.h"

using namespace std::chrono_literals;
using namespace heartbeat;
using heartbeat::test::Desk;
using heartbeat::test::member;

namespace {

using Names = std::set<std::string>;

template <class Add>
std::string object(Add add) {
  std::string body;
  JsonWriter json{body};
  json.begin_object();
  add(json);
  json.end_object();
  return body;
}

Names members_of(const std::string& body) {
  const auto document = heartbeat::test::parsed(body);
  Names names;
  for (const auto& one : document.GetObject()) names.insert(one.name.GetString());
  return names;
}

std::string client_json(const Desk& desk, const std::string& name) {
  return object([&](JsonWriter& json) { add_client(json, desk.client(name), desk.report()); });
}

std::string event_json(const Desk& desk, std::uint64_t number) {
  return object([&](JsonWriter& json) { add_event(json, *desk.feed().find(number), desk.clock()); });
}

}  // namespace

TEST_CASE("a connected client that has said nothing has only what is known of it") {
  Desk desk;
  desk.connect();
  CHECK(members_of(client_json(desk, "127.0.0.1:0")) ==
        Names{"name", "peer", "status", "silence", "strikes", "steady", "margin", "margin_least",
              "last_heard", "silent_ms", "connected", "connected_ms", "heartbeats"});
}

TEST_CASE("a client is reported with its standing judged up to now, which changes nothing") {
  Desk desk;
  const ConnId conn = desk.join("pump-7");
  desk.pass(10s);
  desk.beat(conn);
  desk.now += 35s;
  const std::string body = client_json(desk, "pump-7");
  CHECK(body == R"({"name":"pump-7","id":"pump-7","peer":"127.0.0.1:0","ip":"10.0.0.1","pid":26464,)"
                R"("status":"alive","silence":2,"strikes":0,"steady":2,"margin":0.86,"margin_least":0.86,)"
                R"("interval_ms":10000,"last_heard":"2026-11-22T09:00:10.000Z","silent_ms":35000,)"
                R"("connected":"2026-11-22T09:00:00.000Z","connected_ms":45000,"heartbeats":2})");
  CHECK(desk.client("pump-7").liveness.silence() == 0);
}

TEST_CASE("of a client in leave the report says why, since when and until when, judged or not") {
  Desk desk;
  desk.join("pump-7");
  desk.now += 161s;
  const std::string body = client_json(desk, "pump-7");
  CHECK(member(body, "status") == "leave");
  CHECK(member(body, "margin") == "0.0");
  CHECK(member(body, "leave_reason") == "silent");
  CHECK(member(body, "left") == "2026-11-22T09:02:40.000Z");
  CHECK(member(body, "closes") == "2026-11-22T09:32:40.000Z");
  // A client whose time is up, but which has not been closed yet, is still in leave.
  desk.now += 1h;
  CHECK(member(client_json(desk, "pump-7"), "status") == "leave");
}

TEST_CASE("the least margin stays when the margin is back") {
  Desk desk;
  const ConnId conn = desk.join("pump-7");
  desk.pass(65s);
  for (int at = 0; at < 12; ++at) {
    desk.beat(conn);
    desk.pass(10s);
  }
  CHECK(member(client_json(desk, "pump-7"), "margin") == "1.0");
  CHECK(member(client_json(desk, "pump-7"), "margin_least") == "0.66");
}

TEST_CASE("a story has the moments, the stalls and the end") {
  Desk desk;
  const ConnId conn = desk.join("pump-7");
  desk.pass(35s);
  desk.beat(conn);
  desk.pass(1s);
  desk.stall(2s);
  desk.beat(conn, "", "leave");
  desk.kick("pump-7", "moving you");
  const ClosedClient* const closed = desk.monitor().closed_clients().find("pump-7");
  REQUIRE(closed != nullptr);
  const std::string body =
      object([&](JsonWriter& json) { add_story(json, *closed, desk.monitor().stalls(), desk.report()); });
  CHECK(members_of(body) == Names{"connected_now", "client", "verdict", "verdict_exact", "moments",
                                  "forgotten", "stalls", "brakes", "close"});
  CHECK(member(body, "connected_now") == "false");
  CHECK(member(body, "moments") ==
        R"([{"at":"2026-11-22T09:00:00.000Z","what":"connected","peer":"127.0.0.1:0"},)"
        R"({"at":"2026-11-22T09:00:35.000Z","what":"gap","silent_ms":35000,"ticks":2},)"
        R"({"at":"2026-11-22T09:00:38.000Z","what":"declared","status":"leave"},)"
        R"({"at":"2026-11-22T09:00:38.000Z","what":"leave","reason":"declared"}])");
  CHECK(member(body, "stalls") == R"([{"at":"2026-11-22T09:00:38.000Z","stalled_ms":2000}])");
  CHECK(member(body, "close") ==
        R"({"at":"2026-11-22T09:00:38.000Z","reason":"kicked","by":"operator","detail":"moving you"})");
  CHECK(member(member(body, "client"), "status") == "close");
}

TEST_CASE("the story of a client that beat too fast says when, and says so while the client is not read") {
  Desk desk{{.bounds = {.max_rate = 1}}};
  const ConnId fast = desk.join("pump-7");
  desk.pass(Millis{1'000});
  for (unsigned beat = 0; beat <= 2 * limits::kBeatBurstMin; ++beat) desk.beat(fast, "pump-7");
  rapidjson::Document story =
      heartbeat::test::parsed(desk.answer(R"({"command":"why","client":"pump-7"})").front());
  const auto& moments = story["moments"].GetArray();
  REQUIRE(moments.Size() == 2);
  CHECK(moments[1]["what"] == "limited");
  CHECK(moments[1]["at"] == "2026-11-22T09:00:01.000Z");
  CHECK(story["client"]["limited"].GetBool());
  CHECK(story["client"]["unread"].GetBool());
  desk.pass(Millis{5'000});
  story = heartbeat::test::parsed(desk.answer(R"({"command":"why","client":"pump-7"})").front());
  CHECK(story["moments"].Size() == 2);  // once, however long it goes on
  CHECK(story["client"]["limited"].GetBool());
  CHECK_FALSE(story["client"].HasMember("unread"));
}

TEST_CASE("a story of a client to whom nothing happened begins with its connection") {
  Desk desk;
  desk.stall(2s);
  desk.join("pump-7");
  const std::string body = object([&](JsonWriter& json) {
    add_story(json, desk.client("pump-7"), desk.monitor().stalls(), desk.report());
  });
  CHECK(member(body, "moments") ==
        R"([{"at":"2026-11-22T09:00:02.000Z","what":"connected","peer":"127.0.0.1:0"}])");
  CHECK(member(body, "stalls") == "[]");
  CHECK(member(body, "close").empty());
}

TEST_CASE("a story of a client in constant trouble fits a frame") {
  Desk desk;
  const ConnId conn = desk.join(std::string(limits::kIdMax, 'x'));
  for (std::size_t at = 0; at < 2 * limits::kStallsMax; ++at) {
    desk.pass(24s);
    desk.stall(1s);
    desk.beat(conn);
  }
  const auto bodies =
      desk.answer(R"({"command":"why","client":")" + std::string(limits::kIdMax, 'x') + "\"}");
  CHECK(bodies[0].size() > 15'000);
  CHECK(bodies[0].size() <= limits::kControlFrameMax);
}

TEST_CASE("each event has the members that its kind gives a meaning") {
  Desk desk;
  const Names who{"at", "event", "client", "peer"};
  const Names claims{"ip", "pid"};
  const Names standing{"silence", "strikes", "steady", "silent_ms", "connected_ms", "heartbeats"};
  const auto all = [](std::initializer_list<Names> groups) {
    Names names;
    for (const Names& group : groups) names.insert(group.begin(), group.end());
    return names;
  };
  const ConnId conn = desk.join("pump-7");
  desk.beat(conn, "", "leave");
  desk.kick("pump-7", "moving you");
  desk.stall(3s);
  CHECK(members_of(event_json(desk, 1)) == who);
  CHECK(members_of(event_json(desk, 2)) == all({who, claims, standing, {"previous"}}));
  CHECK(members_of(event_json(desk, 3)) == all({who, claims, standing, {"from", "to", "reason"}}));
  CHECK(members_of(event_json(desk, 4)) ==
        all({who, claims, standing, {"from", "to", "reason", "by", "detail"}}));
  CHECK(event_json(desk, 5) == R"({"at":"2026-11-22T09:00:03.000Z","event":"stall","stalled_ms":3000})");
}

namespace {

std::string status_of(const Desk& desk) {
  return object([&](JsonWriter& json) { add_status(json, desk.figures(), desk.clock(), desk.now); });
}

}  // namespace

TEST_CASE("every figure of the table stands in the status, in its group") {
  Desk desk;
  desk.http.emplace();
  const auto status = test::parsed(status_of(desk));
  for (const Figure& figure : all_figures()) {
    if (figure.member.empty()) continue;
    CAPTURE(std::string{figure.group});
    CAPTURE(std::string{figure.member});
    const auto has = [&](const auto& object) { return object.HasMember(std::string{figure.member}.c_str()); };
    if (figure.group.empty()) {
      CHECK(has(status));
    } else {
      const std::string group{figure.group};
      const std::size_t dot = group.find('.');
      REQUIRE(status.HasMember(group.substr(0, dot).c_str()));
      const auto& outer = status[group.substr(0, dot).c_str()];
      CHECK(has(dot == std::string::npos ? outer : outer[group.substr(dot + 1).c_str()]));
    }
  }
}

TEST_CASE("the status has every figure, and reasons and kinds only where they occurred") {
  Desk desk;
  const ConnId conn = desk.join("pump-7");
  desk.join("pump-8");
  desk.beat(conn, "", "leave");
  desk.stall(4s);
  desk.stall(3s);
  desk.kick("pump-8", "");
  desk.shortages = {.clients = 1, .control = 2, .http = 3};
  desk.control = {.sessions = 4, .displaced = 5, .refused = 6};
  const std::string body = status_of(desk);
  CHECK(members_of(body) == Names{"version",
                                  "boot",
                                  "pid",
                                  "now",
                                  "started",
                                  "uptime_ms",
                                  "listening",
                                  "clients",
                                  "totals",
                                  "closes",
                                  "refused",
                                  "accepting",
                                  "bad_input",
                                  "stalls",
                                  "suspensions",
                                  "restarts",
                                  "brake",
                                  "loop_lateness_ms",
                                  "verdict_lateness_ms",
                                  "pauses",
                                  "remembered",
                                  "heartbeats",
                                  "memory_bytes",
                                  "descriptors",
                                  "feed",
                                  "control",
                                  "rule",
                                  "journal",
                                  "reloads",
                                  "conditions",
                                  "groups",
                                  "holds"});
  CHECK(member(body, "uptime_ms") == "7000");
  CHECK(member(body, "listening") == R"(["127.0.0.1:14000"])");
  CHECK(member(body, "clients") == R"({"alive":0,"leave":1,"max":1000000,"missing":0})");
  CHECK(member(body, "remembered") == "1");
  CHECK(member(body, "heartbeats") == R"({"total":3,"per_second":{"1":0.0,"10":0.0,"60":0.0}})");
  CHECK(member(body, "closes") == R"({"kicked":1})");
  CHECK(member(body, "refused") == "{}");
  CHECK(member(body, "bad_input") == "{}");
  CHECK(member(body, "accepting") ==
        R"({"paused":false,"pauses":0,"paused_ms":0,"waiting":0,"displaced":0,"rate":10000,)"
        R"("shortages":{"clients":1,"control":2,"http":3}})");
  CHECK(member(body, "control") == R"({"sessions":4,"displaced":5,"refused":6})");
  CHECK(member(body, "stalls") ==
        R"({"count":2,"total_ms":7000,"worst_ms":4000,"last":"2026-11-22T09:00:07.000Z","last_ms":3000})");
  CHECK(member(body, "suspensions") == R"({"count":0,"total_ms":0})");
  CHECK(member(body, "restarts") == R"({"count":0,"total_ms":0,"worst_ms":0,"crashes":0})");
  CHECK(member(body, "brake") == R"({"state":"ready","count":0})");
  CHECK(member(body, "pauses") == R"({"longest_ms":50,"count":3,"total_ms":120})");
  CHECK(member(body, "descriptors") == R"({"used":17,"limit":1024})");
  CHECK(member(body, "rule") ==
        R"({"tick_ms":10000,"threshold":5,"cursor":3,"recover":5,"leave_timeout_ms":1800000})");
}

namespace {

// Twenty clients heard once and then silent: in leave at 3 s, and due to be closed at 33 s.
Desk desk_with_brake() {
  return Desk{{.rule = {.tick = 1s, .threshold = 2, .cursor = 1, .recover = 2, .leave_timeout = 30s},
               .brake = {.pause = 12s}}};
}

void join_and_fall_silent(Desk& desk) {
  for (int client = 0; client < 20; ++client) desk.join("c" + std::to_string(client));
  desk.pass(33s);
}

}  // namespace

TEST_CASE("while the brake holds, the status says since when, for whom, and what they have in common") {
  Desk desk = desk_with_brake();
  join_and_fall_silent(desk);
  const auto state = [&] { return R"({"brake":)" + member(status_of(desk), "brake") + "}"; };
  const std::string last =
      R"("from":"2026-11-22T09:00:33.000Z","until":"2026-11-22T09:00:45.000Z","concerned":20,"clients":20,)";
  const std::string common =
      R"("subnet":"127.0.0.1","heard_first":"2026-11-22T09:00:00.000Z","heard_last":"2026-11-22T09:00:00.000Z")";
  CHECK(state() == R"({"brake":{"state":"holding","count":1,"waiting":20,"last":{)" + last + common + "}}}");
  desk.pass(12s);
  CHECK(state() == R"({"brake":{"state":"ready","count":1,"last":{)" + last + R"("ended":"ran_out",)" +
                       common + R"(,"held":20}}})");
}

TEST_CASE("a held client says so, with the instant at which it will really be closed") {
  Desk desk = desk_with_brake();
  join_and_fall_silent(desk);
  const std::string body =
      object([&](JsonWriter& json) { add_client(json, desk.client("c3"), desk.report()); });
  CHECK(member(body, "status") == "leave");
  CHECK(member(body, "left") == "2026-11-22T09:00:03.000Z");
  CHECK(member(body, "closes") == "2026-11-22T09:00:45.000Z");
  CHECK(member(body, "held") == "true");
}

TEST_CASE("after a release a client has been in leave for as long as it was, and is closed a period later") {
  Desk desk = desk_with_brake();
  join_and_fall_silent(desk);
  CHECK(desk.end_brake(BrakeEnd::Released) == 20U);
  const std::string body =
      object([&](JsonWriter& json) { add_client(json, desk.client("c3"), desk.report()); });
  CHECK(member(body, "left") == "2026-11-22T09:00:03.000Z");
  CHECK(member(body, "closes") == "2026-11-22T09:01:03.000Z");
  CHECK(member(body, "held").empty());
}

TEST_CASE("the story of a client that was held has the brake in it") {
  Desk desk = desk_with_brake();
  join_and_fall_silent(desk);
  desk.pass(12s);
  const ClosedClient* const closed = desk.monitor().closed_clients().find("c3");
  REQUIRE(closed != nullptr);
  const std::string body =
      object([&](JsonWriter& json) { add_story(json, *closed, desk.monitor().stalls(), desk.report()); });
  CHECK(
      member(body, "brakes") ==
      R"([{"from":"2026-11-22T09:00:33.000Z","until":"2026-11-22T09:00:45.000Z","concerned":20,"clients":20,)"
      R"("ended":"ran_out"}])");
  CHECK(member(body, "verdict").find("(held for 12 s by the brake on mass closing)") != std::string::npos);
}
