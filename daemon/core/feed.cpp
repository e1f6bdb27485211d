#include "daemon/core/feed.h"

#include <cassert>
#include <new>

namespace heartbeat {
namespace {

constexpr std::size_t kNameRoom = 31;  // bytes: an IPv4 address with its port, and most ids

}  // namespace

Feed::Feed() : ring_(limits::kFeedMax, Event{.kind = Event::Kind::Connected}) {
  for (Event& place : ring_) place.client.reserve(kNameRoom);
}

void Feed::add(const Event& event) {
  if (event.number == 0) return;
  assert(event.number == next_);
  Event& place = ring_[next_ % ring_.size()];
  ++next_;
  try {
    place = event;
  } catch (const std::bad_alloc&) {  // that it happened, without what takes memory
    place = Event{.kind = event.kind, .number = event.number, .at = event.at};
  }
}

const Event* Feed::find(std::uint64_t number) const {
  if (number < oldest() || number >= next_) return nullptr;
  return &ring_[number % ring_.size()];
}

}  // namespace heartbeat
