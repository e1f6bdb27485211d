#include "daemon/report/feed_reader.h"

#include <utility>

namespace heartbeat {
namespace {

std::uint64_t first_wanted(const Feed& feed, std::string_view boot, const std::optional<FeedCursor>& since) {
  if (!since) return feed.next();
  return since->boot == boot ? since->number + 1 : feed.oldest();
}

// Whether a cursor of an earlier run names the event before the first of this run, and that one is held.
bool is_just_before(const Feed& feed, const FeedCursor& cursor) {
  return feed.first() > 1 && feed.oldest() == feed.first() && cursor.number + 1 == feed.first();
}

}  // namespace

bool FeedFilter::wants(const Event& event) const {
  if (kinds.any() && !kinds.test(static_cast<std::size_t>(event.kind))) return false;
  if (group) {
    const std::string& own = event.extra->group;
    if (is_of_daemon(event.kind) || *group != (own.empty() ? kDefaultGroup : own)) return false;
  }
  // A client with an id is found by its address as well.  An event of no client has no address either.
  return !match || match->matches(event.client) ||
         (!is_of_daemon(event.kind) && match->matches(to_string(event.peer)));
}

bool is_ahead(const FeedCursor& cursor, const Feed& feed, std::string_view boot) {
  return cursor.boot == boot && cursor.number >= feed.next();
}

FeedReader::FeedReader(const Feed& feed, std::string_view boot, FeedRequest request)
    : feed_(feed),
      filter_(std::move(request.filter)),
      next_(first_wanted(feed, boot, request.since)),
      of_another_run_(request.since && request.since->boot != boot && !is_just_before(feed, *request.since)) {
}

std::vector<FeedReader::Loss> FeedReader::take_losses() {
  std::vector<Loss> losses;
  if (std::exchange(of_another_run_, false)) losses.push_back({});
  const std::uint64_t oldest = feed_.oldest();
  if (next_ < oldest) losses.push_back({oldest - std::exchange(next_, oldest)});
  return losses;
}

const Event* FeedReader::next(Steps& steps) {
  while (steps.left() && !at_end()) {
    const Event* const event = feed_.find(next_++);
    steps.spend(1);
    if (event != nullptr && filter_.wants(*event)) return event;
  }
  return nullptr;
}

}  // namespace heartbeat
