// How long to pause before connecting again: exponential, with full jitter, bounded.
//
// Full jitter: each length from nothing to the bound is equally likely, so that a fleet that lost its daemon
// at one instant does not come back at one instant.
//
// At the cap a pause lasts at least half of it.  Pauses drawn from nothing to the cap last half the cap on
// average: a fleet whose daemon returns then makes up to twice as many connections in the first moment as on
// average over the cap.  From half the cap on the mean is three quarters, and the first moment 4/3.
#pragma once

#include <cstdint>
#include <random>

#include "common/limits.h"
#include "common/mono_time.h"

namespace heartbeat::client {

class Backoff {
 public:
  // The pause after the first failure is at most `base`, any pause at most `cap`.
  explicit Backoff(std::uint32_t seed, Millis base = limits::kReconnectFirst,
                   Millis cap = limits::kReconnectMax)
      : random_(seed), base_(base), cap_(cap) {}

  // One more failure in a row: the pause before the next attempt.
  [[nodiscard]] Millis failed();

  // One more failure, after which the daemon does not want this client: this pause and all up to the next
  // success are from half the cap to the cap.  Two programs with one id, each of which waits that long, take
  // each other over once a cap at most.
  [[nodiscard]] Millis barred();

  // The connection has stood for a whole interval.
  void succeeded();

  // Failures in a row, those of barred() included.
  [[nodiscard]] std::uint32_t failures() const { return failures_; }

  // The longest pause after this many failures in a row, of which there is at least one.
  [[nodiscard]] Millis longest_pause(std::uint32_t failures) const;

 private:
  void count_failure();
  // The pause after the last failure, between the least and the longest.
  [[nodiscard]] Millis draw();

  std::mt19937 random_;
  Millis base_;
  Millis cap_;
  std::uint32_t failures_ = 0;
  bool is_at_cap_ = false;  // barred since the last success
};

}  // namespace heartbeat::client
