#include "daemon/report/feed_reader.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/limits.h"

using namespace heartbeat;

namespace {

const std::string kBoot = "00112233445566778899aabbccddeeff";

void add(Feed& feed, Event::Kind kind, std::string client) {
  Event event{.kind = kind, .number = feed.next()};
  event.client = std::move(client);
  feed.add(event);
}

void add_many(Feed& feed, std::uint64_t count) {
  for (std::uint64_t at = 0; at < count; ++at) add(feed, Event::Kind::Struck, "pump-7");
}

// The numbers of the events that the reader gives with so many steps.
std::vector<std::uint64_t> numbers(FeedReader& reader, unsigned steps_count = 10'000) {
  std::vector<std::uint64_t> all;
  Steps steps{steps_count};
  while (const Event* const event = reader.next(steps)) all.push_back(event->number);
  return all;
}

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("a reader without a cursor begins with what happens next") {
  Feed feed;
  add_many(feed, 3);
  FeedReader reader{feed, kBoot, {}};
  CHECK(reader.at_end());
  CHECK(numbers(reader).empty());
  add_many(feed, 2);
  CHECK_FALSE(reader.at_end());
  CHECK(numbers(reader) == Numbers{4, 5});
  CHECK(reader.at_end());
}

TEST_CASE("a reader goes on after its cursor, and a cursor ahead of the feed is known as one") {
  Feed feed;
  add_many(feed, 5);
  FeedReader reader{feed, kBoot, {.since = FeedCursor{kBoot, 3}}};
  CHECK(reader.take_losses().empty());
  CHECK(numbers(reader) == Numbers{4, 5});
  CHECK_FALSE(is_ahead({kBoot, 5}, feed, kBoot));
  CHECK(is_ahead({kBoot, 6}, feed, kBoot));
  CHECK_FALSE(is_ahead({"another", 6}, feed, kBoot));
}

TEST_CASE("two readers of one feed read at their own pace and by their own filters") {
  Feed feed;
  FeedReader all{feed, kBoot, {}};
  FeedReader leaves{feed, kBoot, {.since = {}, .filter = {.kinds = 1U << unsigned(Event::Kind::Left)}}};
  FeedReader fans{feed, kBoot, {.since = {}, .filter = {.match = *Glob::compile("fan-*")}}};
  add(feed, Event::Kind::Joined, "pump-7");
  add(feed, Event::Kind::Left, "pump-7");
  add(feed, Event::Kind::Left, "fan-1");
  CHECK(numbers(all, 1) == Numbers{1});
  CHECK(numbers(leaves) == Numbers{2, 3});
  CHECK(numbers(fans) == Numbers{3});
  CHECK(numbers(all) == Numbers{2, 3});
}

TEST_CASE("each event that is looked at takes a step, also an event that the filter drops") {
  Feed feed;
  FeedReader fans{feed, kBoot, {.since = {}, .filter = {.match = *Glob::compile("fan-*")}}};
  add_many(feed, 7);
  add(feed, Event::Kind::Left, "fan-1");
  CHECK(numbers(fans, 7).empty());
  CHECK_FALSE(fans.at_end());
  CHECK(numbers(fans, 1) == Numbers{8});
}

TEST_CASE(
    "a reader as far behind as the feed reaches loses nothing, and one event further it loses that one") {
  Feed feed;
  FeedReader reader{feed, kBoot, {}};
  add_many(feed, limits::kFeedMax);
  CHECK(reader.take_losses().empty());
  add_many(feed, 1);
  const auto losses = reader.take_losses();
  REQUIRE(losses.size() == 1);
  CHECK(losses.front().count == 1);
  CHECK(reader.take_losses().empty());
  Steps one{1};
  CHECK(reader.next(one)->number == 2);
}

TEST_CASE("a cursor of an earlier run is a loss of unknown length, and what is held follows") {
  Feed feed;
  add_many(feed, 2);
  FeedReader reader{feed, kBoot, {.since = FeedCursor{"another", 9}}};
  const auto losses = reader.take_losses();
  REQUIRE(losses.size() == 1);
  CHECK_FALSE(losses.front().count);
  CHECK(reader.take_losses().empty());
  CHECK(numbers(reader) == Numbers{1, 2});
}

TEST_CASE("a cursor of an earlier run loses nothing where this run's numbers go on behind it") {
  Feed feed{10};
  add_many(feed, 2);
  FeedReader reader{feed, kBoot, {.since = FeedCursor{"another", 9}}};
  CHECK(reader.take_losses().empty());
  CHECK(numbers(reader) == Numbers{10, 11});
  FeedReader earlier{feed, kBoot, {.since = FeedCursor{"another", 8}}};
  CHECK(earlier.take_losses().size() == 1);
  add_many(feed, limits::kFeedMax);
  FeedReader too_late{feed, kBoot, {.since = FeedCursor{"another", feed.oldest() - 1}}};
  CHECK(too_late.take_losses().size() == 1);
}

TEST_CASE("a run that began with number 1 goes on behind no earlier run") {
  Feed feed;
  add_many(feed, 1);
  FeedReader reader{feed, kBoot, {.since = FeedCursor{"another", 0}}};
  CHECK(reader.take_losses().size() == 1);
}
