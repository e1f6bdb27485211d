// A place in the feed: the next event that a follower wants, and how many it lost.
//
// Every follower reads through one of these: `watch`, server-sent events, and whatever publishes events
// elsewhere.  A reader keeps no queue and registers no callback: the follower asks it at its own pace,
// outside of the turn that made the event.  A follower that falls behind further than the feed reaches back
// loses the oldest events and learns how many.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/glob.h"
#include "daemon/core/event.h"
#include "daemon/core/feed.h"
#include "daemon/report/answer.h"
#include "daemon/report/query.h"

namespace heartbeat {

// Which events a follower wants.
struct FeedFilter {
  std::bitset<kEventKindCount> kinds{};  // none set: all kinds
  std::optional<std::string> group{};    // the client's; kDefaultGroup: it is in none
  std::optional<Glob> match{};  // of the client's name or address; an event of no client has an empty name

  [[nodiscard]] bool wants(const Event& event) const;
};

struct FeedRequest {
  std::optional<FeedCursor> since{};  // the last event that the follower has; none: it begins now
  FeedFilter filter{};
};

// Whether the cursor names an event of this run that has not happened yet: no follower can have it.
[[nodiscard]] bool is_ahead(const FeedCursor& cursor, const Feed& feed, std::string_view boot);

class FeedReader {
 public:
  // `boot` is this run of the daemon.  A cursor of an earlier run begins at the oldest event held, and counts
  // as lost, unless that event's number is the next one: numbers go on from run to run (daemon/events/).  A
  // cursor that is_ahead() must have been refused.
  FeedReader(const Feed& feed, std::string_view boot, FeedRequest request);

  // Events that this follower can no longer get.
  struct Loss {
    std::optional<std::uint64_t> count;  // none: events of an earlier run, whose number is unknown
  };
  // Each loss since the last call, oldest first, and moves on to the oldest event held.  Must be called
  // before the calls of next() of each turn.
  [[nodiscard]] std::vector<Loss> take_losses();

  // The next event that is wanted; null where the steps are spent or the reader is at_end().  Each event that
  // is looked at takes a step.  Valid until the feed grows.
  [[nodiscard]] const Event* next(Steps& steps);

  // Whether every event so far has been read.
  [[nodiscard]] bool at_end() const { return next_ >= feed_.next(); }

 private:
  const Feed& feed_;
  FeedFilter filter_;
  std::uint64_t next_;   // the number of the event to look at next
  bool of_another_run_;  // its loss has not been reported yet
};

}  // namespace heartbeat
