#include "daemon/core/feed.h"

#include <cassert>

#include "common/limits.h"

namespace heartbeat {

void Feed::add(const Event& event) {
  if (event.number == 0) return;
  assert(event.number == next_);
  if (events_.size() == limits::kFeedMax) events_.pop_front();
  events_.push_back(event);
  ++next_;
}

const Event* Feed::find(std::uint64_t number) const {
  if (number < oldest() || number >= next_) return nullptr;
  return &events_[number - oldest()];
}

}  // namespace heartbeat
