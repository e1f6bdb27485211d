#include "daemon/core/turn.h"

#include <algorithm>
#include <utility>

namespace heartbeat {

Turn::Turn(const Rule& rule, MonoTime machine_now)
    : clock_(stall_limit(rule), machine_now),
      machine_now_(machine_now),
      heard_at_(machine_now),
      pulse_every_(pulse(rule)),
      pulse_due_(machine_now + pulse_every_) {}

Turn::Turn(const Rule& rule, const State& before, MonoTime machine_now)
    : clock_(stall_limit(rule), before.clock),
      machine_now_(machine_now),
      heard_at_(clock_.now()),
      polls_owed_(clock_.owes() ? limits::kPollsAfterStall : 0),
      judge_next_(true),
      pulse_every_(pulse(rule)),
      pulse_due_(machine_now + pulse_every_),
      lateness_(before.lateness) {}

// The poll that noticed a stall may have been interrupted, and counts for nothing.
bool Turn::polled() {
  heard_at_ = now();
  if (clock_.owes()) {
    if (polls_owed_ > 0) {
      --polls_owed_;
      return false;
    }
    clock_.settle();
    judge_next_ = true;  // the polls that were owed did not sleep
  }
  return std::exchange(judge_next_, false);
}

void Turn::set_rule(const Rule& rule) {
  clock_.set_stall_limit(stall_limit(rule));
  pulse_every_ = pulse(rule);
  pulse_due_ = machine_now_ + pulse_every_;
}

MonoTime Turn::next_poll(MonoTime next_deadline) {
  if (next_deadline <= now()) judge_next_ = true;
  if (judge_next_ || clock_.owes()) return machine_now_;
  if (next_deadline == MonoTime::never()) return pulse_due_;
  return std::min(pulse_due_, machine_now_ + (next_deadline - now()));
}

bool Turn::take_pulse() {
  if (machine_now_ < pulse_due_) return false;
  lateness_.add(machine_now_ - pulse_due_);
  pulse_due_ = machine_now_ + pulse_every_;
  return true;
}

}  // namespace heartbeat
