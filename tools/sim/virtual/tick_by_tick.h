// The rule as it is written, tick by tick: the oracle that Liveness must equal, here and in the tests.
//
// Shares nothing with liveness.cpp but the words.  No folding, no cleverness: each tick is walked to its end,
// and what the rule says of that end is done.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/mono_time.h"
#include "common/status.h"
#include "daemon/core/liveness.h"
#include "daemon/core/rule.h"

namespace heartbeat::sim {

class TickByTick {
 public:
  TickByTick(const Rule& rule, MonoTime accepted) : rule_(rule), tick_start_(accepted) {}

  // Everything that happens up to and including `now`, in order.
  std::vector<Change> run_to(MonoTime now) {
    std::vector<Change> changes;
    while (next_instant() <= now) step(changes);
    return changes;
  }

  // The next thing that happens if nothing more is heard; nothing once closed.
  [[nodiscard]] std::optional<Change> next_change() const {
    TickByTick future = *this;
    std::vector<Change> changes;
    while (changes.empty() && future.status != Status::Close) future.step(changes);
    if (changes.empty()) return {};
    return changes.front();
  }

  void heard() { heard_ = true; }

  // The client has announced to be silent until then: the present tick, which is heard, goes on until the end
  // of the tick that contains that instant.
  void be_quiet(MonoTime until) {
    while (tick_start_ + rule_.tick <= until) tick_start_ += rule_.tick;
  }
  // It is heard before that.
  void end_quiet(MonoTime now) {
    while (tick_start_ > now) tick_start_ = tick_start_ - rule_.tick;
  }

  // Returns whether that moved the client.
  bool declared_leave(MonoTime now) {
    heard_ = true;
    declared_ = true;
    if (status != Status::Alive) return false;
    enter_leave(now);
    return true;
  }

  void enter_leave(MonoTime now) {
    status = Status::Leave;
    left_at = now;
    delayed_until = {};
    strikes = 0;
    steady = 0;
  }

  void take_over(const TickByTick& earlier, MonoTime now) {
    status = earlier.status;
    left_at = earlier.left_at;
    delayed_until = earlier.delayed_until;
    silence = earlier.silence;
    strikes = earlier.strikes;
    steady = earlier.steady;
    held_until = earlier.held_until;
    if (earlier.rule_ == rule_) return;
    steady = std::min<std::int64_t>(steady, earlier.rule_.recover);
    fit_to_rule(now);
  }

  // Other settings from now on: ticks of the new length are cut from the present one's beginning, which stays
  // heard or not as it was; and the counters stay, below the new bounds.
  void change_rule(const Rule& rule, MonoTime now) {
    steady = std::min<std::int64_t>(steady, rule_.recover);
    rule_ = rule;
    while (tick_start_ + rule.tick <= now) tick_start_ += rule.tick;
    fit_to_rule(now);
  }
  // The same, with the ticks cut from the accept.
  void enter_group(const Rule& rule, MonoTime accepted, MonoTime now) {
    tick_start_ = accepted;
    change_rule(rule, now);
  }

  // The next instant at which anything is judged; never() once closed.
  [[nodiscard]] MonoTime next_instant() const {
    return status == Status::Close ? MonoTime::never() : std::min(tick_end(), leave_end());
  }

  [[nodiscard]] MonoTime tick_end() const { return tick_start_ + rule_.tick; }
  [[nodiscard]] MonoTime leave_end() const {
    return status == Status::Leave ? std::max(undelayed_end(), delayed_until) : MonoTime::never();
  }
  // Of a leave: when it would end without a brake on mass closing.
  [[nodiscard]] MonoTime undelayed_end() const { return std::max(left_at + rule_.leave_timeout, held_until); }
  [[nodiscard]] const Rule& rule() const { return rule_; }

  Status status = Status::Alive;
  std::int64_t silence = 0;
  std::int64_t strikes = 0;
  std::int64_t steady = 0;  // counts on for ever, as the rule says
  MonoTime left_at;
  MonoTime held_until;     // by an operator: no leave ends before
  MonoTime delayed_until;  // of the present leave: its end, where the brake on mass closing holds it longer

 private:
  void fit_to_rule(MonoTime now) {
    silence = std::min<std::int64_t>(silence, rule_.threshold - 1);
    strikes = std::min<std::int64_t>(strikes, rule_.cursor - 1);
    steady = std::min<std::int64_t>(steady, rule_.recover - 1);
    // A leave that has lasted too long by the new settings ends with this tick.
    if (status == Status::Leave && left_at + rule_.leave_timeout <= now)
      left_at = tick_end() - rule_.leave_timeout;
  }

  // The end of a tick, or of the leave; at one same instant the end of the tick is judged first.
  void step(std::vector<Change>& changes) {
    if (tick_end() <= leave_end()) {
      end_tick(changes);
    } else {
      changes.push_back(change(Change::Kind::Expired, leave_end()));
      status = Status::Close;
    }
  }

  void end_tick(std::vector<Change>& changes) {
    const MonoTime at = tick_end();
    heard_ ? end_heard_tick(at, changes) : end_silent_tick(at, changes);
    tick_start_ = at;
    heard_ = false;
    declared_ = false;
  }

  void end_heard_tick(MonoTime at, std::vector<Change>& changes) {
    silence = std::max<std::int64_t>(0, silence - 1);
    if (declared_) return;
    steady = steady + 1;
    if (steady != rule_.recover) return;
    strikes = 0;
    if (status != Status::Leave) return;
    changes.push_back(change(Change::Kind::Returned, at));
    status = Status::Alive;
    silence = 0;
  }

  void end_silent_tick(MonoTime at, std::vector<Change>& changes) {
    silence = silence + 1;
    if (silence != rule_.threshold) return;
    if (status == Status::Alive) {
      strikes = strikes + 1;
      changes.push_back(change(Change::Kind::Struck, at));
    }
    steady = 0;
    if (status == Status::Alive && strikes == rule_.cursor) {
      changes.push_back(change(Change::Kind::Left, at));
      enter_leave(at);
    }
    silence = 0;
  }

  // The numbers as they stand now.
  [[nodiscard]] Change change(Change::Kind kind, MonoTime at) const {
    return {kind, at, static_cast<std::uint16_t>(silence), static_cast<std::uint16_t>(strikes),
            static_cast<std::uint16_t>(std::min<std::int64_t>(steady, rule_.recover))};
  }

  Rule rule_;
  MonoTime tick_start_;
  bool heard_ = false;
  bool declared_ = false;
};

}  // namespace heartbeat::sim
