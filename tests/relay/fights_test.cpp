#include "tools/relay/fights.h"

#include <string>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace heartbeat;
using heartbeat::relay::Fights;

namespace {

constexpr MonoTime kStart{1000s};

// Each time from another address, as connections are.
bool take(Fights& fights, const std::string& client, const std::string& other, MonoTime at,
          std::uint64_t wall = 0) {
  static int port = 0;
  return fights.taken({.client = client, .peer = "10.0.0.1:" + std::to_string(++port), .other = other}, at,
                      wall);
}

}  // namespace

TEST_CASE("an id that is taken three times, each within ten minutes of the time before, is a fight") {
  Fights fights;
  CHECK_FALSE(take(fights, "pump-7", "n2", kStart, 5000));
  CHECK_FALSE(take(fights, "pump-7", "n2", kStart + Fights::kQuiet, 9000));
  CHECK(fights.lasting().empty());
  CHECK(take(fights, "pump-7", "n3", kStart + 2 * Fights::kQuiet, 9500));
  CHECK_FALSE(take(fights, "pump-7", "n3", kStart + 2 * Fights::kQuiet + 1s, 9600));  // it has begun
  REQUIRE(fights.lasting().size() == 1);
  const Fights::Fight fight = fights.lasting().front();
  CHECK(fight.client == "pump-7");
  CHECK(fight.other == "n3");
  CHECK(fight.count == 4);
  CHECK(fight.began_ms == 5000);
}

TEST_CASE("an order that comes twice for one connection counts once") {
  Fights fights;
  const Fights::Taken taken{.client = "pump-7", .peer = "10.0.0.1:5", .other = "n2"};
  for (int time = 0; time < 5; ++time) CHECK_FALSE(fights.taken(taken, kStart, 0));
  CHECK(fights.lasting().empty());
}

TEST_CASE("a millisecond more than ten minutes apart, it begins anew") {
  Fights fights;
  take(fights, "pump-7", "n2", kStart, 0);
  take(fights, "pump-7", "n2", kStart + 1s, 0);
  CHECK_FALSE(take(fights, "pump-7", "n2", kStart + 1s + Fights::kQuiet + 1ms, 0));
  CHECK(fights.lasting().empty());
}

TEST_CASE("a fight ends when nothing of it has happened for ten minutes, and is told once") {
  Fights fights;
  for (int time = 0; time < 3; ++time) take(fights, "pump-7", "n2", kStart, 0);
  take(fights, "pump-8", "n2", kStart, 0);  // moved once
  CHECK(fights.take_ended(kStart + Fights::kQuiet).empty());
  CHECK(fights.find("pump-7") != nullptr);
  CHECK(fights.find("pump-8") == nullptr);
  const auto ended = fights.take_ended(kStart + Fights::kQuiet + 1ms);
  REQUIRE(ended.size() == 1);
  CHECK(ended.front().count == 3);
  CHECK(fights.take_ended(kStart + Fights::kQuiet + 2ms).empty());
  CHECK(fights.find("pump-7") == nullptr);
}

TEST_CASE("one id more than can be followed takes the place of the one that was quiet longest") {
  Fights fights;
  take(fights, "first", "n2", kStart, 0);
  take(fights, "first", "n2", kStart, 0);
  for (std::size_t id = 1; id < Fights::kFollowedMax; ++id)
    take(fights, "pump-" + std::to_string(id), "n2", kStart + 1s, 0);
  SUBCASE("at the bound all are followed") {
    CHECK(take(fights, "first", "n2", kStart + 2s, 0));
  }
  SUBCASE("one past it") {
    take(fights, "one-more", "n2", kStart + 1s, 0);
    CHECK_FALSE(take(fights, "first", "n2", kStart + 2s, 0));
  }
}
