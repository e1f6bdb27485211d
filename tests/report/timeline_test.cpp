#include "daemon/report/timeline.h"

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/control/support/desk.h"

namespace heartbeat {
namespace {

using test::Desk;

// A machine's clock that begins in the middle of a second.
constexpr MonoTime kMachine{Millis{5'000'400}};
constexpr WallTime kWall = test::kMorning;

struct Clock {
  Timeline timeline;
  Tally tally;
  std::uint64_t next_event = 1;
  Desk desk;
  Millis passed{0};

  Clock() { sample(); }
  void sample() {
    for (; const Event* const event = desk.feed().find(next_event); ++next_event) tally.add(*event);
    timeline.sample(kMachine + passed, kWall + passed, desk.monitor(), tally);
  }
  void pass(Millis time) {
    passed += time;
    desk.pass(time);
    sample();
  }
};

TEST_CASE("nothing is reported of a second before it has ended") {
  Clock clock;
  clock.pass(Millis{599});
  CHECK(clock.timeline.next() == 1);
  clock.pass(Millis{1});
  REQUIRE(clock.timeline.next() == 2);
  CHECK(clock.timeline.at(1).at == kWall + Millis{600});
  clock.pass(Millis{250});
  CHECK(clock.timeline.next() == 2);
}

TEST_CASE("what happened is counted for its second") {
  Clock clock;
  const ConnId first = clock.desk.join("a");
  clock.desk.join("b");
  clock.pass(Millis{600});
  clock.desk.beat(first, "a", "leave");
  clock.pass(Millis{1000});
  clock.desk.leave(first);
  clock.pass(Millis{1000});
  REQUIRE(clock.timeline.next() == 4);
  const Second& joins = clock.timeline.at(1);
  CHECK((joins.joins == 2 && joins.leaves == 0 && joins.closes == 0 && joins.alive == 2 && joins.leave == 0));
  const Second& leaves = clock.timeline.at(2);
  CHECK((leaves.joins == 0 && leaves.leaves == 1 && leaves.alive == 1 && leaves.leave == 1));
  const Second& closes = clock.timeline.at(3);
  CHECK((closes.leaves == 0 && closes.closes == 1 && closes.alive == 1 && closes.leave == 0));
}

TEST_CASE("leaves and closes are counted by their reasons, in the last of the seconds that ended together") {
  Clock clock;
  const ConnId declared = clock.desk.join("a");
  clock.desk.beat(declared, "a", "leave");
  clock.desk.leave(clock.desk.join("b"));
  clock.desk.leave(clock.desk.join("c"));
  clock.desk.disconnect(clock.desk.join("d"), Reason::Reset);
  clock.pass(Millis{1600});
  REQUIRE(clock.timeline.next() == 3);
  CHECK((clock.timeline.at(1).left_for.empty() && clock.timeline.at(1).closed_for.empty()));

  std::string text;
  {
    JsonWriter json{text};
    json.begin_object();
    add_second(json, clock.timeline.at(2));
    json.end_object();
  }
  CHECK(test::member(text, "left_for") == R"({"declared":1})");
  CHECK(test::member(text, "closed_for") == R"({"peer_closed":2,"reset":1})");
  CHECK(test::member(text, "closes") == "3");

  clock.pass(Millis{1000});
  CHECK((clock.timeline.at(3).left_for.empty() && clock.timeline.at(3).closed_for.empty()));
}

TEST_CASE("a stall lies over the seconds before it was noticed, and none of it is lost") {
  Clock clock;
  clock.pass(Millis{600});
  clock.desk.stall(Millis{2500});
  clock.passed += Millis{3600};
  clock.sample();
  REQUIRE(clock.timeline.next() == 5);
  CHECK(clock.timeline.at(1).stalled == Millis{0});
  CHECK(clock.timeline.at(2).stalled == Millis{500});
  CHECK(clock.timeline.at(3).stalled == Millis{1000});
  CHECK(clock.timeline.at(4).stalled == Millis{1000});
  CHECK(clock.timeline.at(4).at == kWall + Millis{3600});

  clock.desk.stall(Millis{5000});  // of which the machine's clock saw one second
  clock.pass(Millis{1000});
  CHECK(clock.timeline.at(5).stalled == Millis{5000});
}

TEST_CASE("as many seconds are remembered as are allowed, and one more lets the oldest go") {
  Clock clock;
  clock.pass(Millis{600});
  for (std::size_t second = 1; second < limits::kHistorySeconds; ++second) clock.pass(Millis{1000});
  CHECK(clock.timeline.oldest() == 1);
  CHECK(clock.timeline.next() == limits::kHistorySeconds + 1);
  clock.pass(Millis{1000});
  CHECK(clock.timeline.oldest() == 2);
  clock.passed += Millis{100'000'000};
  clock.sample();
  CHECK(clock.timeline.next() - clock.timeline.oldest() == limits::kHistorySeconds);
}

}  // namespace
}  // namespace heartbeat
