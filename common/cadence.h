// When to beat: at whole intervals from an anchor.  However late one beat was, the next is not: no drift. And
// beats that were missed altogether are not made up for: a burst of old beats would say nothing.
#pragma once

#include "common/mono_time.h"

namespace heartbeat {

// The first beat later than `now`, which is not before the anchor.
[[nodiscard]] constexpr MonoTime next_beat(MonoTime anchor, Millis interval, MonoTime now) {
  return anchor + interval * ((now - anchor) / interval + 1);
}

}  // namespace heartbeat
