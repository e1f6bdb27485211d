#include "common/os/suspension.h"

namespace heartbeat::os {

// libuv's clock is mach_continuous_time() on macOS, which runs on while the machine sleeps.
std::optional<Millis> time_asleep() {
  return {};
}

}  // namespace heartbeat::os
