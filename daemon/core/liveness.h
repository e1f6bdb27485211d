// The rule: one client's liveness as a value.  Knows no clock, no socket and no other client.
//
// The rule is written tick by tick (docs/liveness.md), but nothing runs at each tick.  Between two heartbeats
// the future of a silent client is arithmetic.  The members describe the tick that began at `tick_start_`,
// with all earlier ticks judged; advance() folds any number of silent ticks into them at once.  The
// tick-by-tick loop lives in tools/sim/virtual/tick_by_tick.h, as the oracle that this must equal for every
// sequence.
//
// Invariants, while not Close:  silence_ < threshold;  steady_ <= recover;  strikes_ <= cursor, and == cursor
// only between the Struck and the Left of one instant.
#pragma once

#include <cstdint>
#include <optional>

#include "common/mono_time.h"
#include "common/status.h"
#include "daemon/core/rule.h"

namespace heartbeat {

struct SavedFields;

// Something observable that the passing of time did to a client.
struct Change {
  enum class Kind : std::uint8_t {
    Struck,    // the threshold was reached: one more strike
    Left,      // the cursor was reached: alive -> leave
    Returned,  // steady again: leave -> alive
    Expired,   // leave lasted its whole timeout: leave -> close
  };

  Kind kind;
  MonoTime at;  // the exact instant, however late it was judged
  // The numbers as they stood at that instant, before the change reset them.
  std::uint16_t silence;
  std::uint16_t strikes;
  std::uint16_t steady;

  friend bool operator==(const Change&, const Change&) = default;
};

class Liveness {
 public:
  // A client is alive from its accept, and its ticks are cut from there.
  explicit Liveness(MonoTime accepted) : tick_start_(accepted) {}

  [[nodiscard]] Status status() const { return status_; }
  [[nodiscard]] std::uint16_t silence() const { return silence_; }
  [[nodiscard]] std::uint16_t strikes() const { return strikes_; }
  [[nodiscard]] std::uint16_t steady() const { return steady_; }
  [[nodiscard]] MonoTime tick_start() const { return tick_start_; }  // of the present tick
  // When the present leave began; meaningless while alive.
  [[nodiscard]] MonoTime left_at() const { return left_at_; }

  // Judges the ticks that end at or before `now`, in order, up to and including the first change; call again
  // until it returns none.  Must have been called so for `now` before any call below that happens at `now`.
  [[nodiscard]] std::optional<Change> advance(const Rule& rule, MonoTime now);

  // Judges the ticks that end at or before `now` where they bring no change; returns whether they do not, and
  // if not, has done nothing.  What advance() does on the path of nearly every heartbeat.
  [[nodiscard]] bool passes(const Rule& rule, MonoTime now);

  // The instant of the next change if nothing more is heard; never() once closed.  A heartbeat of an alive
  // client only ever moves it later; one of a client in leave may move it earlier.
  [[nodiscard]] MonoTime next_change(const Rule& rule) const;

  // A heartbeat arrived in the present tick.
  void heard() { heard_ = true; }

  // A heartbeat arrived that declares `leave`.  Returns whether the client was alive and is now in leave.
  bool declared_leave(MonoTime now);

  // The client is in leave from now on, with a new leave period: it was in leave when it was last closed.
  void enter_leave(MonoTime now);

  // This connection takes over from the client's earlier one, which has been advanced to the same instant:
  // its status, counters and leave clock; the ticks stay cut from this connection's accept.
  void take_over(const Liveness& earlier);

  // The counters are those of another rule: keeps them below the bounds of this one, and ends a leave that
  // this one would have ended already with the present tick.
  void fit_to(const Rule& rule, MonoTime now);

  // The client, which is alive and was just heard, has announced that it will be silent until then.  The
  // present tick goes on until the end of the tick in which that instant lies; tick_start() is then that
  // tick's beginning, which may be in the future.
  void be_quiet(const Rule& rule, MonoTime until);
  // It is heard before that: the tick that contains `now` is the present one again.
  void end_quiet(const Rule& rule, MonoTime now);

  // In leave: a new leave period begins; status and counters stay.
  void renew_leave(MonoTime now) { left_at_ = now; }

  // In leave: the leave ends at that instant, unless the client returns until then.
  void end_leave(const Rule& rule, MonoTime at) { left_at_ = at - rule.leave_timeout; }

  // Whether the client is in leave and returns before that ends, even if nothing more is heard.
  [[nodiscard]] bool will_return(const Rule& rule) const;

  // The rule's settings change at `now`; an announced silence stays as it is.  Every change due by then has
  // been made by the old ones.  Ticks of the new length are cut from where the present tick began, so that
  // clients stay spread over time as their accepts were: with all ticks cut from `now` instead, the next
  // silence of a whole fleet would be one instant.  The present tick is the one of these that contains `now`,
  // heard or not as it was.  The counters stay, kept below the new bounds, so that a change of settings alone
  // never moves a client.  A leave that has lasted longer than the new timeout allows ends with the present
  // tick.
  void restart_tick(const Rule& before, const Rule& rule, MonoTime now);

  // The client's group is known at `now`, and has this rule.  As restart_tick(), with the ticks cut from the
  // accept.
  void enter_group(const Rule& before, const Rule& rule, MonoTime accepted, MonoTime now);

 private:
  friend struct SavedFields;  // saved_state.cpp lists the members that survive a restart

  [[nodiscard]] MonoTime next_strike(const Rule& rule) const;
  [[nodiscard]] bool returns_at_tick_end(const Rule& rule) const;
  void judge_tick(const Rule& rule);
  void judge_silent_ticks(const Rule& rule, std::int64_t count);
  void judge_ticks_until(const Rule& rule, MonoTime now);

  // Each of these makes the change that next_change() announced for `at`.
  Change strike(const Rule& rule, MonoTime at);
  Change leave(const Rule& rule, MonoTime at);
  Change come_back(const Rule& rule, MonoTime at);
  Change expire(const Rule& rule, MonoTime at);

  MonoTime tick_start_;
  MonoTime left_at_;
  std::uint16_t silence_ = 0;
  std::uint16_t strikes_ = 0;
  std::uint16_t steady_ = 0;  // heard ticks since the last strike or leave; counting stops at `recover`
  Status status_ = Status::Alive;
  bool heard_ = false;     // in the present tick
  bool declared_ = false;  // in the present tick, a heartbeat that declared leave
};

}  // namespace heartbeat
