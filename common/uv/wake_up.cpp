#include "common/uv/wake_up.h"

namespace heartbeat::uv {

WakeUp::WakeUp(Loop& loop)
    : loop_(loop), no_sleep_(NoSleep::create(loop)), timer_(Timer::create(loop, [this] {
        armed_for_ = MonoTime::never();
        no_sleep_->next_poll();
      })) {}

void WakeUp::at(MonoTime instant) {
  if (instant <= loop_.now()) return no_sleep_->next_poll();
  no_sleep_->off();
  if (instant == armed_for_) return;
  armed_for_ = instant;
  instant == MonoTime::never() ? timer_->disarm() : timer_->arm(instant - loop_.now());
}

}  // namespace heartbeat::uv
