#include <ctime>

#include "common/os/suspension.h"

namespace heartbeat::os {

std::optional<Millis> time_asleep() {
  const auto read = [](clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
  };
  // CLOCK_BOOTTIME is CLOCK_MONOTONIC and all suspensions.  If the kernel paused this thread between the two
  // readings, that pause is in their difference too: a third reading shows it, and the attempt is repeated.
  for (int attempt = 0; attempt < 4; ++attempt) {
    const auto before = read(CLOCK_MONOTONIC);
    const auto with_suspension = read(CLOCK_BOOTTIME);
    if (read(CLOCK_MONOTONIC) - before >= Millis{1}) continue;
    return std::chrono::floor<Millis>(with_suspension - before);
  }
  return {};
}

}  // namespace heartbeat::os
