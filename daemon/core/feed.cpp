#include "daemon/core/feed.h"

#include <cassert>
#include <new>

namespace heartbeat {

Feed::Feed(std::uint64_t first)
    : ring_(limits::kFeedMax, Event{.kind = Event::Kind::Connected}), next_(first), first_(first) {}

void Feed::add(const Event& event) {
  if (event.number == 0) return;
  assert(event.number == next_);
  Event& place = ring_[next_ % ring_.size()];
  ++next_;
  try {
    place = event;
  } catch (const std::bad_alloc&) {  // the number must stay: keep what takes no memory
    place = Event{.kind = event.kind, .number = event.number, .at = event.at};
  }
}

const Event* Feed::find(std::uint64_t number) const {
  if (number < oldest() || number >= next_) return nullptr;
  return &ring_[number % ring_.size()];
}

}  // namespace heartbeat
