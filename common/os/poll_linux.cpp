#include <chrono>
#include <ctime>

#include "common/os/poll.h"

namespace heartbeat::os {

int poll_with_mask(std::span<pollfd> descriptors, Millis wait, const sigset_t& mask) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(wait);
  const timespec timeout{seconds.count(),
                         static_cast<long>(std::chrono::nanoseconds{wait - seconds}.count())};
  return ppoll(descriptors.data(), descriptors.size(), &timeout, &mask);
}

}  // namespace heartbeat::os
