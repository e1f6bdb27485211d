#include <algorithm>
#include <random>
#include <set>
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

std::string name(unsigned number) {
  return "c" + std::to_string(number);
}

std::vector<ConnId> join_many(Desk& desk, unsigned count) {
  std::vector<ConnId> conns;
  for (unsigned at = 0; at < count; ++at) conns.push_back(desk.join(name(at)));
  return conns;
}

// The names in an answer, which ends with `done` and their count.
std::vector<std::string> names_of(const std::vector<std::string>& bodies) {
  std::vector<std::string> names;
  for (const std::string& body : bodies) {
    if (member(body, "type") == "client") names.push_back(member(body, "name"));
  }
  REQUIRE(member(bodies.back(), "type") == "done");
  CHECK(member(bodies.back(), "count") == std::to_string(names.size()));
  return names;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("a list is empty where no client is connected") {
  Desk desk;
  for (const char* const request : {R"({"command":"clients"})", R"({"command":"clients","sort":"name"})"}) {
    CHECK(names_of(desk.answer(request)).empty());
  }
}

TEST_CASE("a list has every client once, with and without a limit for each page") {
  Desk desk;
  join_many(desk, 25);
  const auto all = names_of(desk.answer(R"({"command":"clients"})"));
  CHECK(std::set<std::string>(all.begin(), all.end()).size() == 25);

  std::vector<std::string> paged;
  std::string cursor;
  unsigned pages = 0;
  do {
    const std::string more = cursor.empty() ? "" : R"(,"cursor":")" + cursor + "\"";
    const auto page = desk.answer(R"({"command":"clients","limit":10)" + more + "}");
    for (const std::string& listed : names_of(page)) paged.push_back(listed);
    cursor = member(page.back(), "next");
    ++pages;
  } while (!cursor.empty());
  CHECK(pages == 3);
  CHECK(sorted(paged) == sorted(all));
}

TEST_CASE("a full last page says that there is no more") {
  Desk desk;
  join_many(desk, 10);
  CHECK(member(desk.answer(R"({"command":"clients","limit":10})").back(), "next").empty());
  CHECK_FALSE(member(desk.answer(R"({"command":"clients","limit":9})").back(), "next").empty());
}

TEST_CASE(
    "a client that stays connected is listed exactly once, whichever others come and go while the list is "
    "made") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 50; ++round) {
    Desk desk;
    std::vector<ConnId> conns = join_many(desk, 60);
    desk.pass(1ms);
    const auto answer = desk.ask(R"({"command":"clients"})");
    std::vector<bool> stays(conns.size(), true);
    std::vector<std::string> bodies;
    unsigned newcomers = 0;
    for (;;) {
      const Desk::Slice slice = Desk::next_slice(*answer, static_cast<unsigned>(1 + random() % 40));
      bodies.insert(bodies.end(), slice.bodies.begin(), slice.bodies.end());
      if (slice.state == Answer::State::Done) break;
      desk.pass(1ms);
      for (int change = 0; change < 3; ++change) {
        const std::size_t leaver = random() % conns.size();
        if (stays[leaver]) desk.leave(conns[leaver]);
        stays[leaver] = false;
        if (random() % 2 == 0) desk.join("new" + std::to_string(newcomers++));
      }
    }
    const auto names = names_of(bodies);
    CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
    for (unsigned at = 0; at < stays.size(); ++at) {
      if (stays[at]) CHECK(std::count(names.begin(), names.end(), name(at)) == 1);
    }
    for (const std::string& listed : names) CHECK_FALSE(listed.starts_with("new"));
  }
}

TEST_CASE("a client that is taken over from slot to slot meanwhile is not listed twice") {
  Desk desk;
  join_many(desk, 5);
  desk.pass(1ms);
  const auto first = desk.answer(R"({"command":"clients","limit":2})");
  desk.pass(1ms);
  desk.join(name(0));
  const auto rest = desk.answer(R"({"command":"clients","cursor":")" + member(first.back(), "next") + "\"}");
  auto names = names_of(first);
  for (const std::string& listed : names_of(rest)) names.push_back(listed);
  CHECK(sorted(names) == std::vector<std::string>{"c0", "c1", "c2", "c3", "c4"});
}

TEST_CASE("a cursor of another run is refused rather than taken for one of this") {
  Desk desk;
  join_many(desk, 3);
  const auto bodies = desk.answer(R"({"command":"clients","cursor":"ffee:1:2"})");
  REQUIRE(bodies.size() == 1);
  CHECK(member(bodies[0], "code") == "bad_request");
}

TEST_CASE("a list is filtered by status as of now, and by name") {
  Desk desk;
  const auto conns = join_many(desk, 4);
  desk.beat(conns[1], "", "leave");
  CHECK(names_of(desk.answer(R"({"command":"clients","status":"leave"})")) == std::vector<std::string>{"c1"});
  CHECK(names_of(desk.answer(R"({"command":"clients","status":"alive"})")).size() == 3);
  CHECK(sorted(names_of(desk.answer(R"({"command":"clients","match":"c[12]"})"))) ==
        std::vector<std::string>{"c1", "c2"});
  CHECK(names_of(desk.answer(R"({"command":"clients","match":"nobody*"})")).empty());

  // No turn has judged them since: 15 silent ticks are over all the same.
  desk.now += 160s;
  CHECK(names_of(desk.answer(R"({"command":"clients","status":"alive"})")).empty());
  CHECK(desk.monitor().status_counts().alive == 3);
}

TEST_CASE("a sorted list has the most worrying first, and no more than was asked for") {
  Desk desk;
  const auto a = desk.join("a");
  desk.pass(1s);
  const auto b = desk.join("b");
  desk.pass(1s);
  const auto c = desk.join("c");
  desk.pass(30s);
  desk.beat(a);
  desk.pass(1s);
  desk.beat(c);
  desk.beat(c, "", "leave");
  static_cast<void>(b);

  const auto order = [&](const std::string& sort, unsigned limit = 10) {
    return names_of(desk.answer(R"({"command":"clients","sort":")" + sort + R"(","limit":)" +
                                std::to_string(limit) + "}"));
  };
  using Names = std::vector<std::string>;
  CHECK(order("name") == Names{"a", "b", "c"});
  CHECK(order("connected") == Names{"a", "b", "c"});
  CHECK(order("silence") == Names{"b", "a", "c"});
  CHECK(order("margin") == Names{"c", "b", "a"});
  CHECK(order("silence", 2) == Names{"b", "a"});
  CHECK(order("margin", 1) == Names{"c"});
}

TEST_CASE("a sorted list of many, made in slices, is what sorting all at once would make") {
  Desk desk;
  for (const unsigned number : {7U, 3U, 9U, 1U, 8U, 2U, 6U, 0U, 5U, 4U}) desk.join(name(number));
  const auto first_four = names_of(desk.answer(R"({"command":"clients","sort":"name","limit":4})", 3));
  CHECK(first_four == std::vector<std::string>{"c0", "c1", "c2", "c3"});
}

TEST_CASE("who leaves between being sorted and being listed is left out") {
  Desk desk;
  const auto conns = join_many(desk, 3);
  const auto answer = desk.ask(R"({"command":"clients","sort":"name"})");
  static_cast<void>(Desk::next_slice(*answer, 2));
  desk.leave(conns[0]);
  std::vector<std::string> bodies;
  Desk::Slice slice{};
  do {
    slice = Desk::next_slice(*answer);
    bodies.insert(bodies.end(), slice.bodies.begin(), slice.bodies.end());
  } while (slice.state == Answer::State::Unfinished);
  CHECK(names_of(bodies) == std::vector<std::string>{"c1", "c2"});
}

TEST_CASE("only so many sorted lists are made at once, and a list that ends makes room") {
  Desk desk;
  join_many(desk, 3);
  const char* const request = R"({"command":"clients","sort":"name"})";
  std::vector<std::unique_ptr<Answer>> open;
  for (std::size_t at = 0; at < limits::kSortedListsMax; ++at) open.push_back(desk.ask(request));
  CHECK(member(desk.answer(request)[0], "code") == "busy");
  open.pop_back();
  CHECK(names_of(desk.answer(request)).size() == 3);
}

TEST_CASE("no slice of a list of 200 000 does more than a turn's steps or makes more than a slice's bytes") {
  Desk desk;
  const unsigned count = 200'000;
  for (unsigned at = 0; at < count; ++at) desk.beat(desk.connect());

  for (const char* const request :
       {R"({"command":"clients","limit":10000})", R"({"command":"clients","match":"nobody"})",
        R"({"command":"clients","sort":"margin","limit":10000})", R"({"command":"clients","sort":"name"})",
        R"({"command":"clients","status":"leave"})"}) {
    CAPTURE(request);
    const auto answer = desk.ask(request);
    unsigned slices = 0;
    Desk::Slice slice{};
    do {
      slice = Desk::next_slice(*answer);
      ++slices;
      // The last thing that is done may go beyond, and is one object.
      CHECK(slice.steps <= limits::kControlStepsPerTurn + limits::kStepsPerObject);
      CHECK(slice.bytes <= limits::kControlSliceBytes + 1024);
    } while (slice.state == Answer::State::Unfinished);
    CHECK(slices >= 90);
    CHECK(member(slice.bodies.back(), "type") == "done");
  }
}
