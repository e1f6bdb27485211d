#include "daemon/core/feed.h"

#include <doctest/doctest.h>

#include "common/limits.h"
#include "tests/unit/support/allocations.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

Event numbered(std::uint64_t number) {
  Event event{.kind = Event::Kind::Joined};
  event.number = number;
  return event;
}

}  // namespace

TEST_CASE("a feed that has heard of nothing begins at 1") {
  const Feed feed;
  CHECK(feed.next() == 1);
  CHECK(feed.oldest() == 1);
  CHECK(feed.find(0) == nullptr);
  CHECK(feed.find(1) == nullptr);
}

TEST_CASE("events are found by their numbers; one without a number is not for the feed") {
  Feed feed;
  feed.add(numbered(1));
  feed.add(numbered(0));
  feed.add(numbered(2));
  CHECK(feed.next() == 3);
  CHECK(feed.oldest() == 1);
  REQUIRE(feed.find(2) != nullptr);
  CHECK(feed.find(2)->number == 2);
  CHECK(feed.find(3) == nullptr);
}

TEST_CASE("a feed holds as many events as said, and one past it the oldest is let go") {
  Feed feed;
  for (std::uint64_t number = 1; number <= limits::kFeedMax; ++number) feed.add(numbered(number));
  CHECK(feed.oldest() == 1);
  feed.add(numbered(limits::kFeedMax + 1));
  CHECK(feed.oldest() == 2);
  CHECK(feed.find(1) == nullptr);
  REQUIRE(feed.find(2) != nullptr);
  CHECK(feed.find(2)->number == 2);
  CHECK(feed.find(limits::kFeedMax + 1)->number == limits::kFeedMax + 1);
}

TEST_CASE("a name of an IPv4 address and port finds its room there: a burst leaves no block behind") {
  Feed feed;
  Event event = numbered(1);
  event.client = "255.255.255.255:65535";
  const auto before = allocations_made();
  feed.add(event);
  CHECK(allocations_made() == before);
}
