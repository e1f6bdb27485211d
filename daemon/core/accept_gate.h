// How fast connections are taken: a bucket of permits, which time fills and each connection takes one of.
//
// Knows no socket and no clock.  When it is empty, listening pauses until there is a batch of permits again,
// and those that wait are taken then: nobody is refused, and the loop does not wake for each of them.  The
// same pause is made where the kernel has no descriptor or no memory for another connection.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/limits.h"
#include "common/mono_time.h"

namespace heartbeat {

class AcceptGate {
 public:
  // `rate`: connections in a second; 0 for no bound.
  AcceptGate(unsigned rate, MonoTime now) : filled_at_(now) { set_rate(rate); }

  void set_rate(unsigned rate) {
    if (rate == rate_) return;
    rate_ = rate;
    permits_ = full();
    if (rate_ == 0) opens_at_ = {};
  }

  // Takes a permit for one connection at `now`, if there is one; if not, listening is to pause until
  // opens_at().
  [[nodiscard]] bool admit(MonoTime now) {
    if (paused_) return false;
    if (rate_ == 0) return true;
    fill(now);
    if (permits_ < kOne) {
      const std::int64_t batch = std::max(kOne, rate_ * limits::kAcceptPause.count());
      pause(now, Millis{(batch - permits_ + rate_ - 1) / rate_});
      return false;
    }
    permits_ -= kOne;
    return true;
  }

  // Listening pauses at `now` for another reason than the rate, for limits::kAcceptPause.
  void rest(MonoTime now) {
    if (!paused_) pause(now, limits::kAcceptPause);
  }

  // Ends a pause that is over at `now`.
  void reopen(MonoTime now) {
    if (!paused_ || now < opens_at_) return;
    paused_ = false;
    paused_for_ += now - paused_since_;
    paused_until_ = now;
  }

  [[nodiscard]] MonoTime opens_at() const { return opens_at_; }
  [[nodiscard]] unsigned rate() const { return rate_; }

  // --- what an operator is told ---
  [[nodiscard]] bool is_paused() const { return paused_; }
  [[nodiscard]] std::uint64_t pauses() const { return pauses_; }
  // In which listening was paused, without the present pause.
  [[nodiscard]] Millis paused() const { return paused_for_; }
  // Whether a pause has begun that is the first after a time without any; said once of each.
  [[nodiscard]] bool take_beginning() { return std::exchange(began_, false); }

 private:
  static constexpr std::int64_t kOne =
      1000;  // permits are counted in thousandths: a rate fills so many in 1 ms

  [[nodiscard]] std::int64_t full() const { return rate_ * limits::kAcceptBurst.count(); }

  void fill(MonoTime now) {
    permits_ = std::min(full(), permits_ + (now - filled_at_).count() * rate_);
    filled_at_ = now;
  }

  void pause(MonoTime now, Millis length) {
    paused_ = true;
    ++pauses_;
    began_ = pauses_ == 1 || now - paused_until_ >= limits::kAcceptQuiet;
    paused_since_ = now;
    opens_at_ = now + length;
  }

  unsigned rate_ = 0;
  std::int64_t permits_ = 0;
  MonoTime filled_at_;
  MonoTime opens_at_{};
  MonoTime paused_since_{};
  MonoTime paused_until_{};  // of the last pause that is over
  Millis paused_for_{0};
  std::uint64_t pauses_ = 0;
  bool paused_ = false;
  bool began_ = false;
};

}  // namespace heartbeat
