// What a turn of the loop does next: judge, poll again without sleeping, or sleep until an instant.
//
// A turn is one poll, the callbacks of what that poll found, and then the judging of the clients whose
// instant has come.  This value decides about all of it and does none of it: it reads no clock, owns no
// handle and knows no monitor.  The daemon's server drives it on a real loop (daemon/io/server.h), and the
// virtual worlds of `heartbeat-sim` on a model of one (tools/sim/virtual/world.h).  The order of the calls:
//
//   woke()        first thing in each callback of the poll, and after the poll
//   polled()      once after the poll: whether to judge now
//   next_poll()   last thing in the turn: when the next poll must return
//   rest()        how much of the time until then may pass without a poll
//
// Three rules stand behind it.  Clients are judged only after a poll that began when an instant was known to
// have come, as a poll may be interrupted with everything unread: so what had arrived by then has been heard.
// After a stall the clock stops half-way, until two polls that cannot sleep have heard what arrived in it
// (listening_clock.h).  And no poll and no rest goes on beyond an instant at which a client must be judged.
#pragma once

#include <chrono>
#include <optional>

#include "common/limits.h"
#include "common/mono_time.h"
#include "daemon/core/histogram.h"
#include "daemon/core/listening_clock.h"
#include "daemon/core/rule.h"

namespace heartbeat {

class Turn {
 public:
  // `machine_now`: the machine's monotonic clock, here and below.
  Turn(const Rule& rule, MonoTime machine_now);

  // What must survive a restart of the daemon.
  struct State {
    ListeningClock::State clock;
    Histogram lateness;
  };
  [[nodiscard]] State state() const { return {clock_.state(), lateness_}; }
  [[nodiscard]] ListeningClock::State state_of_clock() const { return clock_.state(); }

  // Goes on from there: the time that the restart took is a gap between two turns, and a stall if it is too
  // long to count as listening.  The first poll does not sleep.
  Turn(const Rule& rule, const State& before, MonoTime machine_now);

  // The loop has woken.  The same instant for all callbacks of one poll.  Returns the length of a stall, if
  // the loop did not turn for longer than counts as listening.
  std::optional<Millis> woke(MonoTime machine_now) {
    machine_now_ = machine_now;
    const auto stalled = clock_.turn(machine_now);
    if (stalled) [[unlikely]] {
      polls_owed_ = limits::kPollsAfterStall;
    }
    return stalled;
  }

  // Listening time, as of the last woke(): the `now` of every call of the monitor.
  [[nodiscard]] MonoTime now() const { return clock_.now(); }
  // The same as the callbacks of the last poll saw it, without what polled() may have added of a stall since.
  [[nodiscard]] MonoTime heard_at() const { return heard_at_; }
  // The same, with what will have been counted of a stall when what arrived in it has been heard.
  [[nodiscard]] MonoTime settled_now() const { return clock_.settled_now(); }

  // The poll is over, and all that it found was received.  Returns whether the clients that are due are
  // judged now.
  [[nodiscard]] bool polled();

  // The rule that is in force from now on.
  void set_rule(const Rule& rule);

  // When the next poll has to return at the latest, on the machine's clock.  At an instant that has come that
  // poll does not sleep.  `next_deadline`: the earliest instant at which a client must be looked at, on the
  // listening clock; never() if no client has one.
  [[nodiscard]] MonoTime next_poll(MonoTime next_deadline);

  // How much of `wanted` the loop may rest without polling; 0 for not at all.  `next_sleep`: how long its
  // next poll would sleep.  A millisecond is left of it, so that the poll before an instant is a poll like
  // any other and hears what came in the rest.
  [[nodiscard]] static std::chrono::nanoseconds rest(std::chrono::nanoseconds wanted, Millis next_sleep) {
    const std::chrono::nanoseconds until = next_sleep - Millis{1};
    return std::clamp(wanted, std::chrono::nanoseconds{0}, std::max(until, std::chrono::nanoseconds{0}));
  }
  // Whether the next poll may sleep at all, as far as is known before next_poll().
  [[nodiscard]] bool may_rest() const { return !judge_next_ && !clock_.owes(); }

  // The pulse, which keeps the gaps between turns of a healthy loop well below what counts as a stall.
  // Returns true once for each pulse that was due at the last woke(), and adds how late it was to lateness().
  bool take_pulse();
  [[nodiscard]] MonoTime next_pulse() const { return pulse_due_; }
  // How late each pulse was: everything else on the loop waited as long.
  [[nodiscard]] const Histogram& lateness() const { return lateness_; }

 private:
  ListeningClock clock_;
  MonoTime machine_now_;
  MonoTime heard_at_;
  unsigned polls_owed_ = 0;  // until the rest of a stall's time counts
  bool judge_next_ = false;  // after the next poll; until then no poll sleeps
  Millis pulse_every_;
  MonoTime pulse_due_;
  Histogram lateness_;
};

}  // namespace heartbeat
