#include "daemon/core/liveness.h"

#include <algorithm>
#include <cassert>

namespace heartbeat {
namespace {

std::uint16_t after_heard_tick(std::uint16_t silence) {
  return static_cast<std::uint16_t>(std::max(0, silence - 1));
}

}  // namespace

bool Liveness::passes(const Rule& rule, MonoTime now) {
  // Still in the tick that is open.
  if (now < tick_start_ + rule.tick && status_ == Status::Alive && strikes_ < rule.cursor) return true;
  if (status_ == Status::Close) return true;
  if (next_change(rule) <= now) return false;
  judge_ticks_until(rule, now);
  return true;
}

std::optional<Change> Liveness::advance(const Rule& rule, MonoTime now) {
  if (passes(rule, now)) return {};
  const MonoTime at = next_change(rule);
  switch (status_) {
    case Status::Alive: return strikes_ >= rule.cursor ? leave(rule, at) : strike(rule, at);
    case Status::Leave:
      return returns_at_tick_end(rule) && at == tick_start_ + rule.tick ? come_back(rule, at)
                                                                        : expire(rule, at);
    case Status::Close: break;
  }
  return {};
}

Change Liveness::strike(const Rule& rule, MonoTime at) {
  judge_ticks_until(rule, at - rule.tick);
  const std::uint16_t steady = steady_;
  judge_tick(rule);
  return {Change::Kind::Struck, at, rule.threshold, strikes_, steady};
}

Change Liveness::leave(const Rule& rule, MonoTime at) {
  const Change left{Change::Kind::Left, at, rule.threshold, strikes_, steady_};
  enter_leave(at);
  return left;
}

Change Liveness::come_back(const Rule& rule, MonoTime at) {
  const Change returned{Change::Kind::Returned, at, after_heard_tick(silence_), strikes_, rule.recover};
  judge_tick(rule);
  return returned;
}

Change Liveness::expire(const Rule& rule, MonoTime at) {
  judge_ticks_until(rule, at);
  status_ = Status::Close;
  return {Change::Kind::Expired, at, silence_, strikes_, steady_};
}

MonoTime Liveness::next_change(const Rule& rule) const {
  switch (status_) {
    case Status::Alive: return strikes_ >= rule.cursor ? tick_start_ : next_strike(rule);
    case Status::Leave: {
      const MonoTime expiry = left_at_ + rule.leave_timeout;
      return returns_at_tick_end(rule) ? std::min(tick_start_ + rule.tick, expiry) : expiry;
    }
    case Status::Close: break;
  }
  return MonoTime::never();
}

// While alive: the end of the silent tick that reaches the threshold.  At the end of the present tick silence
// is s; each silent tick after it adds one, so the threshold is reached threshold - s ticks after that end,
// which itself is one tick after tick_start.  (A present tick that reaches the threshold itself has s =
// threshold.)
MonoTime Liveness::next_strike(const Rule& rule) const {
  const int s = heard_ ? after_heard_tick(silence_) : silence_ + 1;
  return tick_start_ + rule.tick * (1 + rule.threshold - s);
}

bool Liveness::returns_at_tick_end(const Rule& rule) const {
  return heard_ && !declared_ && steady_ + 1 >= rule.recover;
}

bool Liveness::will_return(const Rule& rule) const {
  return status_ == Status::Leave && returns_at_tick_end(rule) &&
         tick_start_ + rule.tick <= left_at_ + rule.leave_timeout;
}

bool Liveness::declared_leave(MonoTime now) {
  heard_ = true;
  declared_ = true;
  if (status_ != Status::Alive) return false;
  enter_leave(now);
  return true;
}

void Liveness::enter_leave(MonoTime now) {
  status_ = Status::Leave;
  left_at_ = now;
  strikes_ = 0;
  steady_ = 0;
}

void Liveness::take_over(const Liveness& earlier) {
  status_ = earlier.status_;
  left_at_ = earlier.left_at_;
  silence_ = earlier.silence_;
  strikes_ = earlier.strikes_;
  steady_ = earlier.steady_;
}

void Liveness::be_quiet(const Rule& rule, MonoTime until) {
  tick_start_ += (until - tick_start_) / rule.tick * rule.tick;
}

// With d = tick_start - now > 0, the tick that contains `now` begins n ticks before tick_start, n being d /
// tick rounded up.
void Liveness::end_quiet(const Rule& rule, MonoTime now) {
  const std::int64_t ticks = (tick_start_ - now + rule.tick - Millis{1}) / rule.tick;
  tick_start_ = tick_start_ - rule.tick * ticks;
}

// tick_start <= now < tick_start + before.tick once the silent ticks are folded in.  The latest beginning of
// a new tick that is not after `now` is tick_start + n * tick with n = (now - tick_start) / tick rounded
// down, which is now - (now - tick_start) mod tick.
void Liveness::restart_tick(const Rule& before, const Rule& rule, MonoTime now) {
  judge_ticks_until(before, now);
  if (tick_start_ <= now) tick_start_ = now - (now - tick_start_) % rule.tick;
  fit_to(rule, now);
}

void Liveness::enter_group(const Rule& before, const Rule& rule, MonoTime accepted, MonoTime now) {
  judge_ticks_until(before, now);
  tick_start_ = now - (now - accepted) % rule.tick;
  fit_to(rule, now);
}

void Liveness::fit_to(const Rule& rule, MonoTime now) {
  const auto below = [](std::uint16_t value, std::uint16_t bound) {
    return std::min<std::uint16_t>(value, static_cast<std::uint16_t>(bound - 1));
  };
  silence_ = below(silence_, rule.threshold);
  strikes_ = below(strikes_, rule.cursor);
  steady_ = below(steady_, rule.recover);
  const bool overdue = status_ == Status::Leave && left_at_ + rule.leave_timeout <= now;
  if (overdue) left_at_ = tick_start_ + rule.tick - rule.leave_timeout;
}

// The end of the present tick, as docs/liveness.md has it.
void Liveness::judge_tick(const Rule& rule) {
  if (!heard_) {
    judge_silent_ticks(rule, 1);
    return;
  }
  silence_ = after_heard_tick(silence_);
  if (!declared_ && steady_ < rule.recover && ++steady_ == rule.recover) {
    strikes_ = 0;
    if (status_ == Status::Leave) {
      status_ = Status::Alive;
      silence_ = 0;
    }
  }
  tick_start_ += rule.tick;
  heard_ = false;
  declared_ = false;
}

// `count` ticks in which nothing was heard.  Silence counts up by one each and starts from 0 again whenever
// it reaches the threshold, so after them it is (silence + count) mod threshold, and it has reached the
// threshold at least once where silence + count >= threshold.  While alive each time is a strike: the caller
// stops at each.
void Liveness::judge_silent_ticks(const Rule& rule, std::int64_t count) {
  const std::int64_t silence = silence_ + count;
  silence_ = static_cast<std::uint16_t>(silence % rule.threshold);
  if (silence >= rule.threshold) {
    assert(status_ == Status::Leave || silence == rule.threshold);
    steady_ = 0;
    if (status_ == Status::Alive) ++strikes_;
  }
  tick_start_ += rule.tick * count;
}

void Liveness::judge_ticks_until(const Rule& rule, MonoTime now) {
  if (now < tick_start_ + rule.tick) return;
  judge_tick(rule);
  const std::int64_t silent = (now - tick_start_) / rule.tick;
  if (silent > 0) judge_silent_ticks(rule, silent);
}

}  // namespace heartbeat
