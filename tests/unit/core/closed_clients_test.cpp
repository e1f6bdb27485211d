#include "daemon/core/closed_clients.h"

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/support/print.h"
#include "tests/unit/support/property.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

ClosedClient named(const std::string& name, std::uint64_t heartbeats = 0) {
  ClosedClient closed;
  closed.name = std::string_view{name};
  closed.heartbeats = heartbeats;
  return closed;
}

void change_max(ClosedClients& closed, std::size_t max) {
  ClosedClients other = closed.with_room_for(max);
  other.take_from(closed);
  closed = std::move(other);
}

}  // namespace

TEST_CASE("a closed client is remembered by its name") {
  ClosedClients closed{10};
  closed.remember(named("pump", 3));
  REQUIRE(closed.find("pump") != nullptr);
  CHECK(closed.find("pump")->heartbeats == 3);
  CHECK(closed.find("lamp") == nullptr);
  CHECK(closed.size() == 1);
}

TEST_CASE("as many as said are remembered; one past it, the one closed longest ago is forgotten") {
  ClosedClients closed{3};
  closed.remember(named("a"));
  closed.remember(named("b"));
  closed.remember(named("c"));
  CHECK(closed.size() == 3);
  CHECK(closed.find("a") != nullptr);
  closed.remember(named("d"));
  CHECK(closed.size() == 3);
  CHECK(closed.find("a") == nullptr);
  CHECK(closed.find("b") != nullptr);
  CHECK(closed.find("d") != nullptr);
}

TEST_CASE("a client that is closed again takes the place of what was known of it") {
  ClosedClients closed{2};
  closed.remember(named("a", 1));
  closed.remember(named("b", 1));
  closed.remember(named("a", 2));
  CHECK(closed.size() == 2);
  CHECK(closed.find("a")->heartbeats == 2);
  closed.remember(named("c"));  // now it is b that was closed longest ago
  CHECK(closed.find("b") == nullptr);
  CHECK(closed.find("a") != nullptr);
}

TEST_CASE("a client that is taken is no longer remembered") {
  ClosedClients closed{2};
  closed.remember(named("a", 7));
  const auto taken = closed.take("a");
  REQUIRE(taken);
  CHECK(taken->name == "a");
  CHECK(taken->heartbeats == 7);
  CHECK(closed.find("a") == nullptr);
  CHECK_FALSE(closed.take("a"));
  CHECK(closed.size() == 0);
  closed.remember(named("a", 8));
  CHECK(closed.find("a")->heartbeats == 8);
}

TEST_CASE("one who is to remember nobody does not") {
  ClosedClients closed{0};
  closed.remember(named("a"));
  CHECK(closed.size() == 0);
  CHECK(closed.find("a") == nullptr);
}

TEST_CASE(
    "where fewer are to be remembered the ones closed longest ago are forgotten, and where more there is "
    "room") {
  ClosedClients closed{4};
  for (const char* const name : {"a", "b", "c", "d"}) closed.remember(named(name));
  static_cast<void>(closed.take("b"));
  change_max(closed, 2);
  CHECK(closed.size() == 2);
  CHECK(closed.find("a") == nullptr);
  CHECK(closed.find("c") != nullptr);
  change_max(closed, 3);
  closed.remember(named("e"));
  CHECK(closed.size() == 3);
  closed.remember(named("f"));
  CHECK(closed.find("c") == nullptr);
  CHECK(closed.find("d") != nullptr);
}

TEST_CASE("it is a plain list, the oldest first, only faster") {
  check_property(2'000, [] {
    ClosedClients closed{5, {1, 2}};
    std::size_t max = 5;
    std::deque<std::string> model;
    const auto operations = *rc::gen::container<std::vector<std::uint32_t>>(between<std::uint32_t>(0, 999));
    for (const std::uint32_t operation : operations) {
      const std::string name = "c" + std::to_string(operation / 10 % 12);
      const auto known = std::find(model.begin(), model.end(), name);
      RC_ASSERT((closed.find(name) != nullptr) == (known != model.end()));
      if (operation % 10 == 0) {
        max = operation / 10 % 8;
        change_max(closed, max);
      } else if (operation % 10 < 3) {
        RC_ASSERT(closed.take(name).has_value() == (known != model.end()));
        if (known != model.end()) model.erase(known);
      } else {
        closed.remember(named(name));
        if (known != model.end()) model.erase(known);
        model.push_back(name);
      }
      while (model.size() > max) model.pop_front();
      RC_ASSERT(closed.size() == model.size());
    }
    for (const std::string& name : model) RC_ASSERT(closed.find(name) != nullptr);
  });
}
