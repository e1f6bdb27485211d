#include "daemon/core/closed_clients.h"

#include <doctest/doctest.h>

#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

ClosedClient named(const std::string& name, std::uint64_t heartbeats = 0) {
  ClosedClient closed;
  closed.name = name;
  closed.heartbeats = heartbeats;
  return closed;
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
