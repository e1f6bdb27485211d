// The latest events by number, for followers that read on or resume where they stopped.
//
// Bounded: one past limits::kFeedMax, the oldest is let go; a follower sees by the numbers how many it
// missed.  A ring whose room is all there from the start: events that came and went one by one would leave
// the allocator's blocks between those of the clients, and these would not fit into the holes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/limits.h"
#include "daemon/core/event.h"

namespace heartbeat {

struct SavedFields;

class Feed {
 public:
  // Of events from the number `first` on.
  explicit Feed(std::uint64_t first = 1);

  // Keeps the event; its number is the one after the last.  An event without a number is not for the feed.
  void add(const Event& event);

  // The number that the next event will have, and the lowest still held (equal where none is).
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] std::uint64_t oldest() const {
    return std::max(first_, next_ > ring_.size() ? next_ - ring_.size() : 1);
  }

  // The number that this run of the daemon began with: 1, or behind the last one in its event journal.
  [[nodiscard]] std::uint64_t first() const { return first_; }

  // The event of that number; null where it is not held.
  [[nodiscard]] const Event* find(std::uint64_t number) const;

 private:
  friend struct SavedFields;  // saved_state.cpp lists the members that survive a restart

  // The event of number n is at n % kFeedMax.
  std::vector<Event> ring_;
  std::uint64_t next_ = 1;
  std::uint64_t first_ = 1;  // no event before this one is held, even where there is room
};

}  // namespace heartbeat
