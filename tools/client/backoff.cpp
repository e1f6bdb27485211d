#include "tools/client/backoff.h"

#include <limits>

#include "common/limits.h"

namespace heartbeat::client {

Millis Backoff::failed() {
  if (failures_ < std::numeric_limits<std::uint32_t>::max()) ++failures_;
  std::uniform_int_distribution<Millis::rep> anything{0, longest_wait(failures_).count()};
  return Millis{anything(random_)};
}

Millis Backoff::longest_wait(std::uint32_t failures) {
  Millis wait = limits::kReconnectFirst;
  for (std::uint32_t doubled = 1; doubled < failures && wait < limits::kReconnectMax; ++doubled) wait *= 2;
  return std::min(wait, limits::kReconnectMax);
}

}  // namespace heartbeat::client
