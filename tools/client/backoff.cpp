#include "tools/client/backoff.h"

#include <algorithm>
#include <limits>

namespace heartbeat::client {

Millis Backoff::failed() {
  count_failure();
  return draw();
}

Millis Backoff::barred() {
  count_failure();
  is_at_cap_ = true;
  return draw();
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

// The first pause begins at nothing also where the base is as long as the cap.
Millis Backoff::draw() {
  const Millis most = is_at_cap_ ? cap_ : longest_pause(failures_);
  const bool has_grown_to_cap = failures_ > 1 && most == cap_;
  const Millis least = is_at_cap_ || has_grown_to_cap ? cap_ / 2 : Millis{0};
  std::uniform_int_distribution<Millis::rep> any{least.count(), most.count()};
  return Millis{any(random_)};
}

}  // namespace heartbeat::client
