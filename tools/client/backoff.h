// How long to wait before connecting again: exponential, with full jitter, bounded (limits.h).
//
// Full jitter: anything from nothing to the bound is as likely as anything else, so that a fleet that lost
// its daemon at one instant does not come back at one instant.
#pragma once

#include <cstdint>
#include <random>

#include "common/mono_time.h"

namespace heartbeat::client {

class Backoff {
 public:
  explicit Backoff(std::uint32_t seed) : random_(seed) {}

  // One more failure in a row: the wait before the next attempt.
  [[nodiscard]] Millis failed();

  // The connection has proved itself.
  void succeeded() { failures_ = 0; }

  [[nodiscard]] std::uint32_t failures() const { return failures_; }

  // The longest wait after this many failures in a row, of which there is at least one.
  [[nodiscard]] static Millis longest_wait(std::uint32_t failures);

 private:
  std::mt19937 random_;
  std::uint32_t failures_ = 0;
};

}  // namespace heartbeat::client
