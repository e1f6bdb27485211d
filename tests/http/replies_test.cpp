#include "daemon/http/replies.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "daemon/report/tally.h"
#include "daemon/report/timeline.h"
#include "tests/control/support/desk.h"

namespace heartbeat::http {
namespace {

using test::Desk;

// A daemon without sockets whose timeline goes on.
class Counter {
 public:
  explicit Counter(const Settings& settings = {}) : desk(settings) {}

  Desk desk;
  const OperatorDesk& operators = desk.operators();

  void pass_seconds(int count) {
    for (int second = 0; second < count; ++second) {
      desk.pass(Millis{1000});
      desk.timeline.sample(desk.now, desk.clock().at(desk.now), desk.monitor(), desk.tally);
    }
  }
};

// All of an answer that ends, each turn with so many steps; no slice is longer than its bound and one object.
std::string whole(Answer& answer, unsigned steps_per_turn, std::size_t object_max = 1024) {
  std::string text;
  for (;;) {
    Steps steps{steps_per_turn};
    std::string slice;
    const Answer::State state = answer.go_on(slice, steps);
    CHECK(slice.size() <= limits::kControlSliceBytes + object_max);
    text += slice;
    if (state != Answer::State::Unfinished) return text;
  }
}

TEST_CASE("while the brake holds, clients are still taken, and the line about it names the brake") {
  Counter counter{
      {.rule = {.tick = Millis{1000}, .threshold = 2, .cursor = 1, .leave_timeout = Millis{10'000}},
       .brake = {.clients_min = 2, .pause = Millis{5'000}}}};
  for (const char* const id : {"pump-1", "pump-2", "pump-3"}) counter.desk.join(id);
  CHECK(readiness_text(counter.operators) == "ok\n");
  counter.desk.pass(Millis{14'000});
  REQUIRE(counter.desk.monitor().brake().holds());
  CHECK(readiness_text(counter.operators) == "ready; closing for silence is paused by the brake\n");
  counter.desk.pass(Millis{5'000});
  CHECK(readiness_text(counter.operators) == "ok\n");
}

TEST_CASE("a list is one JSON object, in whatever slices it is made") {
  Counter counter;
  for (int number = 0; number < 100; ++number) counter.desk.join("pump-" + std::to_string(number));
  for (const unsigned steps : {1U, 7U, 100U, 100'000U}) {
    CAPTURE(steps);
    ClientsReply all{counter.operators, {.limit = 1000}};
    const auto listed = test::parsed(whole(all, steps));
    CHECK(listed["clients"].Size() == 100);
    CHECK_FALSE(listed.HasMember("next"));

    ClientsReply some{counter.operators, {.sort = SortBy::Name, .limit = 3}};
    const auto first = test::parsed(whole(some, steps));
    REQUIRE(first["clients"].Size() == 3);
    CHECK(first["clients"][2]["name"] == "pump-10");
    CHECK_FALSE(first.HasMember("next"));

    ClientsReply page{counter.operators, {.limit = 60}};
    const auto begun = test::parsed(whole(page, steps));
    CHECK(begun["clients"].Size() == 60);
    const auto cursor = parse_list_cursor(begun["next"].GetString());
    REQUIRE(cursor);
    ClientsReply rest{counter.operators, {.limit = 60, .cursor = *cursor}};
    CHECK(test::parsed(whole(rest, steps))["clients"].Size() == 40);
  }
  ClientsReply none{counter.operators, {.filter = {.status = Status::Leave, .match = {}}}};
  CHECK(whole(none, 1) == R"({"clients":[]})");
}

TEST_CASE("a client that leaves while a list is made is left out of it, and the list stays whole") {
  Counter counter;
  std::vector<ConnId> clients;
  for (int number = 0; number < 50; ++number)
    clients.push_back(counter.desk.join("pump-" + std::to_string(number)));
  for (const auto sort : {std::optional<SortBy>{}, std::optional{SortBy::Name}}) {
    ClientsReply reply{counter.operators, {.sort = sort}};
    Steps steps{limits::kStepsPerRank * 50 + 50 + 40};
    std::string text;
    CHECK(reply.go_on(text, steps) == Answer::State::Unfinished);
    counter.desk.leave(clients.back());
    clients.pop_back();
    text += whole(reply, 3);
    const auto listed = test::parsed(text)["clients"].Size();
    CHECK(listed >= clients.size());
    CHECK(listed <= clients.size() + 1);
  }
}

TEST_CASE("history is what had ended when it was asked for, the oldest first") {
  Counter counter;
  counter.desk.timeline.sample(counter.desk.now, counter.desk.clock().at(counter.desk.now),
                               counter.desk.monitor(), counter.desk.tally);
  HistoryReply before{counter.operators};
  CHECK(whole(before, 1) == R"({"step_ms":1000,"samples":[]})");
  counter.desk.join("pump-7");
  counter.pass_seconds(3);
  for (const unsigned steps : {1U, 1000U}) {
    HistoryReply reply{counter.operators};
    const auto history = test::parsed(whole(reply, steps));
    REQUIRE(history["samples"].Size() == 3);
    CHECK(history["samples"][0U]["joins"].GetInt() == 1);
    CHECK(history["samples"][1]["joins"].GetInt() == 0);
    CHECK(history["samples"][2]["at"].GetString() == std::string{"2026-11-22T09:00:03.000Z"});
  }
}

TEST_CASE("seconds that are forgotten while the history is sent are left out") {
  Counter counter;
  counter.pass_seconds(static_cast<int>(limits::kHistorySeconds) + 1);
  HistoryReply reply{counter.operators};
  Steps few{1};
  std::string text;
  CHECK(reply.go_on(text, few) == Answer::State::Unfinished);
  counter.pass_seconds(500);
  text += whole(reply, 64);
  CHECK(test::parsed(text)["samples"].Size() == 1 + limits::kHistorySeconds - 500);
}

std::string next_slice(EventsReply& reply, Answer::State expected, unsigned steps_count = 2'048) {
  Steps steps{steps_count};
  std::string slice;
  CHECK(reply.go_on(slice, steps) == expected);
  return slice;
}

TEST_CASE("a follower hears who it talks to, then what happens, then nothing") {
  Counter counter;
  counter.desk.join("before");
  EventsReply reply{counter.operators, {}};
  CHECK(next_slice(reply, Answer::State::WaitsForEvents) ==
        "retry: 1000\nevent: hello\ndata: {\"type\":\"hello\",\"boot\":\"00112233445566778899aabbccddeeff\","
        "\"now\":\"2026-11-22T09:00:00.000Z\",\"version\":\"" HEARTBEAT_VERSION "\"}\n\n");
  CHECK(next_slice(reply, Answer::State::WaitsForEvents).empty());
  counter.desk.join("pump-7");
  const std::string events = next_slice(reply, Answer::State::WaitsForEvents);
  CHECK(
      events.starts_with("id: 00112233445566778899aabbccddeeff:3\nevent: event\ndata: {\"type\":\"event\","));
  CHECK(events.find("id: 00112233445566778899aabbccddeeff:4\n") != std::string::npos);
  CHECK(events.ends_with("}\n\n"));
}

TEST_CASE("however little is done at once, a follower gets every event") {
  Counter counter;
  EventsReply reply{counter.operators, {}};
  for (int number = 0; number < 20; ++number) counter.desk.join("pump-" + std::to_string(number));
  std::string text;
  for (;;) {
    Steps steps{1};
    std::string slice;
    const auto state = reply.go_on(slice, steps);
    text += slice;
    if (state == Answer::State::WaitsForEvents) break;
  }
  for (int number = 1; number <= 40; ++number) {
    CHECK(text.find("eeff:" + std::to_string(number) + "\n") != std::string::npos);
  }
}

TEST_CASE("of the samples that a follower missed it gets the last") {
  Counter counter;
  counter.pass_seconds(2);
  EventsReply reply{counter.operators, {}};
  CHECK(next_slice(reply, Answer::State::WaitsForEvents).find("sample") == std::string::npos);
  counter.pass_seconds(3);
  const std::string sample = next_slice(reply, Answer::State::WaitsForEvents);
  CHECK(sample.starts_with("event: sample\ndata: {\"at\":\"2026-11-22T09:00:05.000Z\","));
  CHECK(sample.find("sample", 10) == std::string::npos);
  CHECK(next_slice(reply, Answer::State::WaitsForEvents).empty());
}

TEST_CASE(
    "a follower that fell behind the feed learns how much it missed, and a follower of another run that it "
    "did") {
  Counter counter;
  EventsReply slow{counter.operators, {}};
  static_cast<void>(next_slice(slow, Answer::State::WaitsForEvents));
  for (std::size_t number = 0; number <= limits::kFeedMax; ++number)
    counter.desk.leave(counter.desk.connect());
  const std::uint64_t lost = counter.desk.feed().oldest() - 1;
  CHECK(lost > 0);
  CHECK(next_slice(slow, Answer::State::Unfinished)
            .starts_with("event: lost\ndata: {\"type\":\"lost\",\"count\":" + std::to_string(lost) +
                         "}\n\nid: "));

  EventsRequest other;
  other.feed.since = FeedCursor{.boot = "another", .number = 9};
  EventsReply again{counter.operators, std::move(other)};
  CHECK(next_slice(again, Answer::State::Unfinished).find("event: lost\ndata: {\"type\":\"lost\"}\n\nid: ") !=
        std::string::npos);
}

TEST_CASE("a story is that of the connected client, else of the closed one") {
  Counter counter;
  CHECK_FALSE(story_text(counter.operators, "pump-7"));
  const ConnId client = counter.desk.join("pump-7");
  CHECK(test::member(*story_text(counter.operators, "pump-7"), "connected_now") == "true");
  counter.desk.leave(client);
  CHECK(test::member(*story_text(counter.operators, "pump-7"), "connected_now") == "false");
  CHECK(test::member(status_text(counter.operators), "type") == "status");
  CHECK(test::member(status_text(counter.operators), "version") == HEARTBEAT_VERSION);
  CHECK(error_text({404, "not_found", "a \"b\""}) ==
        R"({"type":"error","code":"not_found","message":"a \"b\""})");
}

}  // namespace
}  // namespace heartbeat::http
