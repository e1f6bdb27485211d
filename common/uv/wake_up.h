// Turns the loop at an instant, also when nothing else happens: the one kind of wake-up of this program.
//
// It cannot be lost.  libuv 1.44 runs due timers before it polls.  An instant that comes between the arming
// of a timer and the next poll is therefore over before that poll begins, and a timer that does nothing but
// fire is forgotten: the poll sleeps on until something else wakes the loop.  So the firing leaves a mark,
// and the poll after it does not sleep.  Sprung by unit.uv.wake_up and process.lateness.
#pragma once

#include "common/mono_time.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/watchers.h"

namespace heartbeat::uv {

class WakeUp {
 public:
  explicit WakeUp(Loop& loop);

  // At this instant of Loop::now() at the latest a poll has returned.  Takes the place of an instant that has
  // not come; if `instant` itself has come, the next poll does not sleep.  never() asks for nothing.
  void at(MonoTime instant);

 private:
  Loop& loop_;
  MonoTime armed_for_ = MonoTime::never();
  Owned<NoSleep> no_sleep_;
  Owned<Timer> timer_;
};

}  // namespace heartbeat::uv
