#include "tools/ctl/availability.h"

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace heartbeat::ctl {
namespace {

JournalFact event(std::int64_t at, std::string_view word, std::string_view client) {
  return {.type = "event", .event = word, .client = client, .at = Millis{at}, .heartbeats = 1};
}
JournalFact line(std::int64_t at, std::string_view type) {
  return {.type = type, .at = Millis{at}};
}

TEST_CASE("time alive, in leave and gone is counted between the events, and the window cuts both ends") {
  AvailabilityCount count{Millis{1'000}, Millis{10'000}};
  count.add(line(0, "start"));
  count.add(event(500, "joined", "pump-7"));
  count.add(event(4'000, "leave", "pump-7"));
  count.add(event(5'000, "return", "pump-7"));
  count.add(event(7'000, "close", "pump-7"));
  const auto all = count.finish(true);
  const Availability& of = all.at("pump-7");
  CHECK(of.alive == Millis{3'000 + 2'000});
  CHECK(of.leave == Millis{1'000});
  CHECK(of.closed == Millis{3'000});
  CHECK(of.unknown == Millis{0});
  CHECK(of.leaves == 1);
  CHECK(of.closes == 1);
  CHECK(of.share() == doctest::Approx(5.0 / 9.0));
}

TEST_CASE("the absence of the daemon is unknown, and never down") {
  AvailabilityCount count{Millis{0}, Millis{10'000}};
  count.add(line(0, "start"));
  count.add(event(0, "joined", "alive"));
  count.add(event(0, "joined", "gone"));
  count.add(event(1'000, "close", "gone"));
  count.add(line(2'000, "mark"));
  count.add(line(6'000, "start"));  // the run before was killed
  count.add(event(7'000, "joined", "alive"));
  const auto all = count.finish(true);
  CHECK(all.at("alive").alive == Millis{5'000});
  CHECK(all.at("alive").unknown == Millis{5'000});
  CHECK(all.at("alive").closed == Millis{0});
  CHECK(all.at("gone").closed == Millis{5'000});
  CHECK(all.at("gone").unknown == Millis{4'000});
}

TEST_CASE("a client that is absent after a start counts as closed from then on") {
  AvailabilityCount count{Millis{0}, Millis{10'000}};
  count.add(line(0, "start"));
  count.add(event(0, "joined", "gone"));
  count.add(line(2'000, "mark"));
  count.add(line(4'000, "start"));
  count.add(event(7'000, "absent", "gone"));
  count.add(event(7'000, "absent", "of-before"));
  const auto all = count.finish(true);
  CHECK(all.at("gone").alive == Millis{2'000});
  CHECK(all.at("gone").unknown == Millis{5'000});
  CHECK(all.at("gone").closed == Millis{3'000});
  CHECK(all.at("of-before").alive == Millis{0});
  CHECK(all.at("of-before").closed == Millis{3'000});
}

TEST_CASE("a client that is met in the middle has been what its event says since its accept") {
  AvailabilityCount count{Millis{0}, Millis{10'000}};
  count.add(line(1'000, "segment"));
  JournalFact leave = event(5'000, "leave", "pump-7");
  leave.from = "alive";
  leave.connected = Millis{60'000};
  count.add(leave);
  const auto all = count.finish(true);
  CHECK(all.at("pump-7").alive == Millis{4'000});
  CHECK(all.at("pump-7").leave == Millis{5'000});
}

TEST_CASE("a connection that never sent a heartbeat is no client") {
  AvailabilityCount count{Millis{0}, Millis{10'000}};
  count.add(line(0, "start"));
  count.add(event(1, "connected", "127.0.0.1:4"));
  JournalFact close = event(2, "close", "127.0.0.1:4");
  close.heartbeats = 0;
  count.add(close);
  CHECK(count.finish(true).empty());
}

// What a client is in each millisecond, written down one by one.
enum class Now { Absent, Unknown, Alive, Leave, Closed };

TEST_CASE("random journals agree to the millisecond with a count of each millisecond") {
  constexpr std::int64_t kEnd = 3'000;
  constexpr std::array<const char*, 3> kNames{"a", "b", "c"};
  for (unsigned seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    std::mt19937 random{seed};
    const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
    const std::int64_t from = below(1000);
    const std::int64_t until = kEnd - below(1000);
    AvailabilityCount count{Millis{from}, Millis{until}};
    std::array<std::vector<Now>, 3> truth;
    for (auto& of : truth) of.assign(kEnd, Now::Absent);
    std::array<Now, 3> now{Now::Absent, Now::Absent, Now::Absent};
    std::vector<bool> watched(kEnd, true);

    std::int64_t at = 0;
    std::int64_t last = 0;
    count.add(line(0, "start"));
    const auto pass_to = [&](std::int64_t instant) {
      for (; at < std::min(instant, kEnd); ++at) {
        for (std::size_t client = 0; client < 3; ++client)
          truth.at(client).at(static_cast<std::size_t>(at)) = now.at(client);
      }
    };
    for (;;) {
      const std::int64_t next = at + 1 + below(120);
      if (next >= kEnd) break;
      const int what = below(12);
      if (what == 0) {  // the daemon is killed after its last line, and starts again
        pass_to(last);
        for (std::int64_t gone = last; gone < next; ++gone)
          watched.at(static_cast<std::size_t>(gone)) = false;
        // What was written down since the last line was not known.
        for (Now& of : now) {
          if (of == Now::Alive || of == Now::Leave) of = Now::Unknown;
        }
        at = std::min(at, last);
        pass_to(next);
        count.add(line(next, "start"));
      } else if (what == 1) {  // it stalled until now
        pass_to(next);
        JournalFact stall = event(next, "stall", "");
        stall.unwatched = Millis{below(static_cast<int>(next - last) + 1)};
        for (std::int64_t gone = next - stall.unwatched.count(); gone < next; ++gone) {
          watched.at(static_cast<std::size_t>(gone)) = false;
        }
        count.add(stall);
      } else {
        pass_to(next);
        const auto client = static_cast<std::size_t>(below(3));
        Now& of = now.at(client);
        const char* word = "joined";
        Now to = Now::Alive;
        if (of == Now::Alive && below(2) == 0) {
          word = "leave";
          to = Now::Leave;
        } else if (of == Now::Alive || of == Now::Leave) {
          const bool returns = of == Now::Leave && below(2) == 0;
          word = returns ? "return" : "close";
          to = returns ? Now::Alive : Now::Closed;
        }
        of = to;
        count.add(event(next, word, kNames.at(client)));
      }
      last = next;
    }
    pass_to(kEnd);
    const auto all = count.finish(true);
    for (std::size_t client = 0; client < 3; ++client) {
      Availability expected;
      for (std::int64_t instant = from; instant < until; ++instant) {
        const auto place = static_cast<std::size_t>(instant);
        const Now of = truth.at(client).at(place);
        if (of == Now::Absent) continue;
        const bool is_known = watched.at(place) && of != Now::Unknown;
        Millis& sum = !is_known          ? expected.unknown
                      : of == Now::Alive ? expected.alive
                      : of == Now::Leave ? expected.leave
                                         : expected.closed;
        sum += Millis{1};
      }
      const auto found = all.find(kNames.at(client));
      const Availability got = found == all.end() ? Availability{} : found->second;
      REQUIRE(got.alive == expected.alive);
      REQUIRE(got.leave == expected.leave);
      REQUIRE(got.closed == expected.closed);
      REQUIRE(got.unknown == expected.unknown);
    }
  }
}

}  // namespace
}  // namespace heartbeat::ctl
