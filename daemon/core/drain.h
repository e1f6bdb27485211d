// A drain: the daemon has its clients connect elsewhere, so many a second, and takes no new ones.
//
// Walks over the slots once.  A client whose turn has come is closed as `drained`; one that asked for notices
// is sent how long it must wait before it connects again, so that a balancer has noticed by then that this
// daemon is not ready.  A connection that has not spoken yet is passed over: it is refused at its first
// heartbeat, as every new one is.  So one walk is enough.
//
// The drain lasts until an operator ends it, also when no client is left: a client that comes back must not
// stay.
//
// Knows no client: says when the next one has its turn, and how far the walk has come.
#pragma once

#include <cstdint>

#include "common/limits.h"
#include "common/mono_time.h"

namespace heartbeat {

struct DrainOrder {
  unsigned rate = limits::kDrainRateDefault;             // clients a second
  Millis retry_after = limits::kDrainRetryAfterDefault;  // each is given this, and up to as much again
  std::uint32_t uid = 0;                                 // of the operator
};

class Drain {
 public:
  Drain() = default;
  Drain(const DrainOrder& order, MonoTime now) : order_(order), since_(now), paced_from_(now) {}

  // The same drain goes on, at another rate.
  void change(const DrainOrder& order, MonoTime now) {
    order_ = order;
    pace_from(now);
  }

  [[nodiscard]] const DrainOrder& order() const { return order_; }
  [[nodiscard]] MonoTime since() const { return since_; }
  [[nodiscard]] std::uint64_t drained() const { return drained_; }
  // The walk is over.
  [[nodiscard]] bool is_complete() const { return is_complete_; }

  // When the next client has its turn; never() when the walk is over.  Of a thousand clients a second each
  // has its own millisecond, and of more several share one.
  [[nodiscard]] MonoTime next() const {
    if (is_complete_) return MonoTime::never();
    return paced_from_ +
           Millis{static_cast<std::int64_t>((std::uint64_t{turns_} * 1000 + order_.rate - 1) / order_.rate)};
  }

  // Where the walk stands, and one step on.
  [[nodiscard]] std::uint32_t next_slot() const { return next_slot_; }
  void step() { ++next_slot_; }

  // A client was drained out of its turn: its program has connected again already.
  void count() { ++drained_; }
  // A client had its turn.  What a late daemon owes is not made up for at once: beyond a tenth of a second
  // the rate holds from now on.
  void count_turn(MonoTime now) {
    if (next() + limits::kDrainLagMax < now) pace_from(now);
    ++drained_;
    ++turns_;
  }
  void complete() { is_complete_ = true; }

  // How long the client that is closed next must wait: spread evenly from retry_after to twice that.  The
  // multiples of the golden section do so for any number of clients, and are the same in a process that
  // repeats the calls.
  [[nodiscard]] Millis take_retry_after() {
    constexpr std::uint32_t kGoldenSection = 0x9E3779B9;
    const std::uint64_t part = static_cast<std::uint32_t>(notices_++ * kGoldenSection);
    const auto length = static_cast<std::uint64_t>(order_.retry_after.count());
    return Millis{static_cast<std::int64_t>(length + (length * part >> 32U))};
  }

 private:
  friend struct SavedFields;  // saved_state.cpp lists the members that survive a restart

  void pace_from(MonoTime now) {
    paced_from_ = now;
    turns_ = 0;
  }

  DrainOrder order_{};
  MonoTime since_{};
  MonoTime paced_from_{};    // the turns since then are a second / rate apart
  std::uint32_t turns_ = 0;  // since then
  std::uint64_t drained_ = 0;
  std::uint32_t notices_ = 0;
  std::uint32_t next_slot_ = 0;
  bool is_complete_ = false;
};

}  // namespace heartbeat
