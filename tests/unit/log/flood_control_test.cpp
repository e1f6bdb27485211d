#include "daemon/log/flood_control.h"

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/log/records.h"

namespace heartbeat::testing {
namespace {

using spdlog::level::info;
using spdlog::level::warn;

int admitted(FloodControl& flood, Event::Kind kind, int times, MonoTime now) {
  int count = 0;
  for (int i = 0; i < times; ++i) count += flood.admit(event_of(kind), info, now) ? 1 : 0;
  return count;
}

TEST_CASE("at the rate all are told, and one past it is held back") {
  FloodControl flood{3};
  CHECK(admitted(flood, Event::Kind::Joined, 3, kStart) == 3);
  CHECK_FALSE(flood.take_sum(MonoTime::never()));
  CHECK(admitted(flood, Event::Kind::Joined, 1, kStart) == 0);
  const auto sum = flood.take_sum(MonoTime::never());
  REQUIRE(sum);
  CHECK(sum->kind == Event::Kind::Joined);
  CHECK(sum->count == 1);
  CHECK_FALSE(flood.take_sum(MonoTime::never()));
}

TEST_CASE("a second begins with its first event and is over a second later, not before") {
  FloodControl flood{1};
  CHECK(admitted(flood, Event::Kind::Joined, 2, kStart + 700ms) == 1);
  CHECK(admitted(flood, Event::Kind::Joined, 1, kStart + 1699ms) == 0);
  CHECK_FALSE(flood.take_sum(kStart + 1699ms));
  const auto sum = flood.take_sum(kStart + 1700ms);
  REQUIRE(sum);
  CHECK(sum->count == 2);
  CHECK(admitted(flood, Event::Kind::Joined, 2, kStart + 1700ms) == 1);
}

TEST_CASE("each kind has a rate of its own") {
  FloodControl flood{1};
  CHECK(admitted(flood, Event::Kind::Joined, 5, kStart) == 1);
  CHECK(admitted(flood, Event::Kind::Struck, 5, kStart) == 1);
  CHECK(flood.take_sum(kStart + 1s)->count == 4);
  CHECK(flood.take_sum(kStart + 1s)->count == 4);
  CHECK_FALSE(flood.take_sum(kStart + 1s));
}

TEST_CASE("a sum is as severe as the worst in it, and names the first few") {
  FloodControl flood{1};
  const auto add = [&](const char* client, spdlog::level::level_enum level) {
    return flood.admit(event_of(Event::Kind::Closed, client), level, kStart);
  };
  REQUIRE(add("told", info));
  for (const char* client : {"a", "b", "c", "d", "e", "f"}) {
    CHECK_FALSE(add(client, client == std::string_view{"c"} ? warn : info));
  }
  const auto sum = flood.take_sum(kStart + 1s);
  REQUIRE(sum);
  CHECK(sum->level == warn);
  CHECK(sum->count == 6);
  CHECK(sum->first == std::vector<std::string>{"a", "b", "c", "d", "e"});
  CHECK(sum->first.size() == limits::kSumNames);
}

TEST_CASE("a rate of zero is no limit") {
  FloodControl flood{0};
  CHECK(admitted(flood, Event::Kind::Joined, 10'000, kStart) == 10'000);
  CHECK_FALSE(flood.take_sum(MonoTime::never()));
}

}  // namespace
}  // namespace heartbeat::testing
