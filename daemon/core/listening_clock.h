// The clock that the rule sees: it stands still while the daemon could not listen.
//
// A daemon that was stopped, starved of CPU or blocked on a slow disk for a minute has heard no client for a
// minute; charging that to its clients would be a lie.  So a gap between two turns of the loop counts as at
// most `stall_limit` of listening, and the rest of it is a stall.  And what had arrived meanwhile is to be
// heard in the middle of that: one half counts at once, and the other is owed until settle().  So between
// what was heard before the stall, in it, and after it there is half a tick at the most that is not the
// client's own: a client that beats at least every half tick is never charged a silent tick.  Knows no real
// clock: it is handed the machine's monotonic reading.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

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

  // What must survive a restart of the daemon.  Both instants stay true over it, as the machine goes on.
  struct State {
    MonoTime machine;    // the machine's clock at the last turn
    MonoTime listening;  // listening time at the last turn
    Millis owed{0};
  };
  [[nodiscard]] State state() const { return {machine_, listening_, owed_}; }

  // Goes on from there: the time since the last turn of the daemon before is the first gap of this one.
  ListeningClock(Millis stall_limit, const State& before)
      : stall_limit_(stall_limit),
        machine_(before.machine),
        listening_(before.listening),
        owed_(before.owed) {}

  // The first thing to call when the loop has woken, with the machine's clock at that moment.  Returns how
  // long the daemon was not listening, where that was beyond the limit; half of the limit is owed then, and
  // what was owed of a stall before is settled, so that a daemon that stalls in every turn goes on
  // nevertheless.
  std::optional<Millis> turn(MonoTime machine_now) {
    const Millis gap = machine_now - machine_;
    machine_ = machine_now;
    if (gap <= stall_limit_) {
      listening_ += gap;
      return {};
    }
    settle();
    owed_ = stall_limit_ / 2;
    listening_ += stall_limit_ - owed_;
    return gap - stall_limit_;
  }

  // What had arrived in the stall has been heard.
  void settle() { listening_ += std::exchange(owed_, Millis{0}); }
  [[nodiscard]] bool owes() const { return owed_ > Millis{0}; }

  // Listening time, as of the last turn.
  [[nodiscard]] MonoTime now() const { return listening_; }

  // And what it will be when all is settled.
  [[nodiscard]] MonoTime settled_now() const { return listening_ + owed_; }

  void set_stall_limit(Millis limit) { stall_limit_ = limit; }

 private:
  Millis stall_limit_;
  MonoTime machine_;
  MonoTime listening_;
  Millis owed_{0};
};

// Notices that the machine was suspended, of which its monotonic clock knows nothing.
class SuspensionWatch {
 public:
  // `asleep`: how long the machine has been suspended in all, at this moment; nothing where it does not say.
  // Returns by how much that has grown since the last look, where it did.
  std::optional<Millis> look(std::optional<Millis> asleep) {
    if (!asleep) return {};
    const std::optional<Millis> before = asleep_;
    if (!before || *asleep - *before >= limits::kSuspensionMin || *asleep < *before) asleep_ = asleep;
    if (!before || *asleep - *before < limits::kSuspensionMin) return {};
    return *asleep - *before;
  }

 private:
  std::optional<Millis> asleep_;
};

}  // namespace heartbeat
