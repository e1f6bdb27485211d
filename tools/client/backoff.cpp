#include "tools/client/backoff.h"

#include <algorithm>
#include <limits>

namespace heartbeat::client {

Millis Backoff::failed() {
  count_failure();
  return draw(Millis{0}, is_at_cap_ ? cap_ : longest_pause(failures_));
}

Millis Backoff::barred() {
  count_failure();
  is_at_cap_ = true;
  return draw(cap_ / 2, cap_);
}

void Backoff::succeeded() {
  failures_ = 0;
  is_at_cap_ = false;
}

void Backoff::count_failure() {
  if (failures_ < std::numeric_limits<std::uint32_t>::max()) ++failures_;
}

Millis Backoff::longest_pause(std::uint32_t failures) const {
  Millis pause = base_;
  for (std::uint32_t doubled = 1; doubled < failures && pause < cap_; ++doubled) pause *= 2;
  return std::min(pause, cap_);
}

Millis Backoff::draw(Millis least, Millis most) {
  std::uniform_int_distribution<Millis::rep> any{least.count(), most.count()};
  return Millis{any(random_)};
}

}  // namespace heartbeat::client
