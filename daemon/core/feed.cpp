#include "daemon/core/feed.h"

#include <cassert>

namespace heartbeat {

void Feed::add(const Event& event) {
  if (event.number == 0) return;
  assert(event.number == next_);
  ring_[next_ % ring_.size()] = event;
  ++next_;
}

const Event* Feed::find(std::uint64_t number) const {
  if (number < oldest() || number >= next_) return nullptr;
  return &ring_[number % ring_.size()];
}

}  // namespace heartbeat
