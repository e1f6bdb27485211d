// A loop of libuv 1.44 in virtual time, as far as the daemon's turn can tell: one wake-up, and polls.
//
// It has what makes a real loop treacherous.  Its time is that of the last poll, and goes on unseen while
// callbacks run.  Timers fire before the poll, so that an instant can come between the arming and the poll.
// And a poll may end early with everything unread, as a signal makes it.
#pragma once

#include <algorithm>
#include <utility>

#include "common/mono_time.h"

namespace heartbeat::sim {

class LoopModel {
 public:
  explicit LoopModel(MonoTime now) : machine_(now), now_(now) {}

  // As uv::Loop::now(), uv::WakeUp::at() and uv::Loop::next_sleep().
  [[nodiscard]] MonoTime now() const { return now_; }
  void wake_at(MonoTime instant) {
    if (instant <= now_) {
      polls_at_once_ = true;
    } else {
      armed_for_ = instant;
    }
  }
  [[nodiscard]] Millis next_sleep() {
    now_ = machine_;
    return polls_at_once_ ? Millis{0} : std::max(Millis{0}, armed_for_ - now_);
  }

  // The machine's clock goes on while the loop does something else than poll.
  void pass(Millis length) { machine_ += length; }

  // The process is stopped in a poll, and goes on in it.
  void stop_for(Millis length) { now_ = machine_ += length; }

  // Fires the timer if it is due, and polls until the timer is or something can be read at `readable`; at
  // most for `at_most`.  Returns how long it slept.
  Millis poll(MonoTime readable, Millis at_most) {
    now_ = machine_;
    if (armed_for_ <= now_) {
      armed_for_ = MonoTime::never();
      polls_at_once_ = true;
    }
    const MonoTime until = polls_at_once_ ? now_ : std::min({armed_for_, readable, now_ + at_most});
    polls_at_once_ = false;
    machine_ = std::max(now_, until);
    return machine_ - std::exchange(now_, machine_);
  }

 private:
  MonoTime machine_;  // the machine's clock
  MonoTime now_;      // the same, as of the last time that the loop looked
  MonoTime armed_for_ = MonoTime::never();
  bool polls_at_once_ = false;
};

}  // namespace heartbeat::sim
