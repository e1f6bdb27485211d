#include "tools/sim/promise.h"

#include <algorithm>

#include "daemon/core/rule.h"

namespace heartbeat::sim {
namespace {

using Kind = Milestone::Kind;

constexpr Milestone kMay{.kind = Kind::May};

bool beats_on(Behaviour behaviour) {
  switch (behaviour) {
    case Behaviour::Steady:
    case Behaviour::Flaky:
    case Behaviour::Glued:
    case Behaviour::Dribble:
    case Behaviour::Late:
    case Behaviour::Takeover: return true;
    default: return false;
  }
}

// A rule at least as patient as the default one, for which it was measured what 30 % of losses lead to.
bool forgives_losses(const Welcome& rule) {
  const Rule measured;
  return rule.threshold >= measured.threshold && rule.cursor >= measured.cursor &&
         rule.recover <= measured.recover;
}

const char* why_none(const Record& record, const Pace& pace) {
  const Welcome& rule = pace.rule;
  if (record.remembered) return "the daemon knew its id from an earlier run, and began it in leave";
  if (pace.interval > rule.tick && beats_on(record.behaviour))
    return "it beats slower than the daemon's tick";
  if (record.behaviour == Behaviour::Flaky && !forgives_losses(rule)) {
    return "the daemon's rule is less patient than the default";
  }
  if (record.behaviour == Behaviour::Late && rule.leave_timeout < rule.tick * (rule.recover + 5)) {
    return "the leave timeout is too short to return in";
  }
  return nullptr;
}

// never(), and so not yet due, while the client has not done it.
Milestone at_once(MonoTime after, Reason reason) {
  return {Kind::Due, after, after, reason};
}

// Silence since the last beat leads to leave after ticks_to_leave() whole silent ticks: one more for the tick
// that the beat was in, one less where its silence was not 0 at that time.
Milestone leave_of_silence(const Record& record, const Pace& pace) {
  const Millis tick = pace.rule.tick;
  const MonoTime since = std::min(record.quiet_since, record.last_beat_at);
  return {Kind::Due, since + tick * (pace.ticks_to_leave() - 1) - tick / 2,
          since + tick * (pace.ticks_to_leave() + 1), Reason::Silent};
}

Milestone close_after_leave(const Record& record, const Pace& pace, Reason reason) {
  if (!record.left.happened()) return {Kind::Due, MonoTime::never(), MonoTime::never(), reason};
  const MonoTime due = record.left.at + pace.rule.leave_timeout;
  return {Kind::Due, due - pace.rule.tick / 2, due, reason};
}

// The first beat after the silence is in the first of the ticks that count; one or two may be missed where
// the beats come just at the ticks' ends.
Milestone return_after_silence(const Record& record, const Pace& pace) {
  if (record.acted_at == MonoTime::never()) {
    return {Kind::Due, MonoTime::never(), MonoTime::never(), Reason::Steady};
  }
  const Millis tick = pace.rule.tick;
  const auto recover = static_cast<Millis::rep>(pace.rule.recover);
  return {Kind::Due, record.acted_at + tick * (recover - 1) - tick / 2,
          record.acted_at + tick * (recover + 3), Reason::Steady};
}

}  // namespace

Promise promise_of(const Record& record, const Pace& pace) {
  Promise promise;
  promise.none = why_none(record, pace);
  promise.nothing_said = !record.asks;
  if (promise.none != nullptr) {
    promise.leave = promise.back = promise.close = promise.supersede = kMay;
    return promise;
  }
  switch (record.behaviour) {
    case Behaviour::Steady: break;
    case Behaviour::Flaky: promise.leave = promise.back = kMay; break;
    case Behaviour::Glued:
    case Behaviour::Dribble: promise.answers = true; break;
    case Behaviour::Late:
      promise.leave = leave_of_silence(record, pace);
      promise.back = return_after_silence(record, pace);
      break;
    case Behaviour::Silent:
      promise.leave = leave_of_silence(record, pace);
      promise.close = close_after_leave(record, pace, Reason::Silent);
      break;
    case Behaviour::Declared:
      promise.leave = at_once(record.acted_at, Reason::Declared);
      promise.close = close_after_leave(record, pace, Reason::Away);
      break;
    case Behaviour::Goodbye: promise.close = at_once(record.acted_at, Reason::Goodbye); break;
    case Behaviour::Illegal:
      promise.close = at_once(record.acted_at, record.deserved.value_or(Reason::BadHeartbeat));
      break;
    case Behaviour::Takeover: promise.supersede = at_once(record.acted_at, Reason::Superseded); break;
  }
  return promise;
}

}  // namespace heartbeat::sim
