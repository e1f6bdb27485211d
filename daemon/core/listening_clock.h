// The clock that the rule sees: it stands still while the daemon could not listen.
//
// A daemon that was stopped, starved of CPU or blocked on a slow disk for a minute has heard nobody for a
// minute; charging that to its clients would be a lie.  So a gap between two turns of the loop counts as at
// most `stall_limit` of listening, and the rest of it is a stall.  Knows no real clock: it is handed the
// machine's monotonic reading.
#pragma once

#include <algorithm>
#include <optional>

#include "common/limits.h"
#include "common/mono_time.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// The longest gap that counts in full.  Never more than a tick: at short ticks a full second of the daemon's
// own absence would by itself be a strike.
[[nodiscard]] constexpr Millis stall_limit(const Rule& rule) {
  return std::min(limits::kStallLimit, rule.tick);
}

// How often the loop must turn to keep a healthy gap well below that limit.
[[nodiscard]] constexpr Millis pulse(const Rule& rule) {
  return std::min(limits::kPulse, std::max(Millis{1}, stall_limit(rule) / 4));
}

class ListeningClock {
 public:
  // `machine_now`: the machine's monotonic clock at this moment.
  ListeningClock(Millis stall_limit, MonoTime machine_now)
      : stall_limit_(stall_limit), machine_(machine_now), listening_(machine_now) {}

  // The first thing to call when the loop has woken, with the machine's clock at that moment.  Returns how
  // long the daemon was not listening, where that was beyond the limit.
  std::optional<Millis> turn(MonoTime machine_now) {
    const Millis gap = machine_now - machine_;
    machine_ = machine_now;
    listening_ += std::min(gap, stall_limit_);
    if (gap <= stall_limit_) return {};
    return gap - stall_limit_;
  }

  // Listening time, as of the last turn.
  [[nodiscard]] MonoTime now() const { return listening_; }

  void set_stall_limit(Millis limit) { stall_limit_ = limit; }

 private:
  Millis stall_limit_;
  MonoTime machine_;
  MonoTime listening_;
};

}  // namespace heartbeat
