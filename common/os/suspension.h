// Suspensions of the whole machine: sleep, hibernation, a virtual machine that was paused.
#pragma once

#include <optional>

#include "common/mono_time.h"

namespace heartbeat::os {

// The suspended time, since the machine was started, that the loop's clock does not contain.
//
// On Linux that clock (CLOCK_MONOTONIC) stands still while the machine is suspended, so this is the time of
// all suspensions.  Nothing on macOS and the BSDs: there the loop's clock contains every suspension, which
// the daemon therefore sees as a gap between two turns, and reports as a stall.
[[nodiscard]] std::optional<Millis> time_asleep();

}  // namespace heartbeat::os
