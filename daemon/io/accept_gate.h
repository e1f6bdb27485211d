// The bound on how fast connections are accepted (accept_rate): a token bucket.
//
// Time fills the bucket with permits, and each connection takes one.  When the bucket is empty, accepting
// pauses until there is a batch of permits again.  Connections that come meanwhile wait in the kernel's
// accept queue: none is refused, and the loop does not wake for each of them.
//
// Knows no socket and no clock.
#pragma once

#include <algorithm>
#include <cstdint>

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

  // Whether a connection may be accepted at `now`.  If there is no permit, accepting pauses until opens_at().
  [[nodiscard]] bool is_open(MonoTime now) {
    if (paused_) return false;
    if (rate_ == 0) return true;
    fill(now);
    if (permits_ >= kPermit) return true;
    const std::int64_t batch = std::max(kPermit, rate_ * limits::kAcceptPause.count());
    pause(now, Millis{(batch - permits_ + rate_ - 1) / rate_});
    return false;
  }

  // A connection was accepted, for which the gate was open.
  void admit() {
    if (rate_ > 0) permits_ -= kPermit;
  }

  // Ends a pause that is over at `now`.
  void reopen(MonoTime now) {
    if (!paused_ || now < opens_at_) return;
    paused_ = false;
    paused_for_ += now - paused_since_;
  }

  [[nodiscard]] MonoTime opens_at() const { return opens_at_; }
  [[nodiscard]] unsigned rate() const { return rate_; }

  // --- figures for operators ---
  [[nodiscard]] bool is_paused() const { return paused_; }
  [[nodiscard]] std::uint64_t pauses() const { return pauses_; }
  // The length of all pauses that are over.
  [[nodiscard]] Millis paused() const { return paused_for_; }

 private:
  // Permits are counted in thousandths: in 1 ms a rate fills as many of them as it has connections a second.
  static constexpr std::int64_t kPermit = 1000;

  [[nodiscard]] std::int64_t full() const { return rate_ * limits::kAcceptBurst.count(); }

  void fill(MonoTime now) {
    permits_ = std::min(full(), permits_ + (now - filled_at_).count() * rate_);
    filled_at_ = now;
  }

  void pause(MonoTime now, Millis length) {
    paused_ = true;
    ++pauses_;
    paused_since_ = now;
    opens_at_ = now + length;
  }

  unsigned rate_ = 0;
  std::int64_t permits_ = 0;
  MonoTime filled_at_;
  MonoTime opens_at_{};
  MonoTime paused_since_{};
  Millis paused_for_{0};
  std::uint64_t pauses_ = 0;
  bool paused_ = false;
};

}  // namespace heartbeat
