// What operators see beside the core, as bytes for the process that takes this one's place: the totals that
// metrics count on, and how the wall clock stood to the listening clock, so that earlier instants keep their
// dates.
//
// Knows no file.  The bytes travel as `others` of the saved state (daemon/core/saved_state.h).
#pragma once

#include <string>
#include <string_view>

#include "daemon/report/reloads.h"
#include "daemon/report/tally.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

[[nodiscard]] std::string save_report(const Tally& tally, const Reloads& reloads, const WallClock& clock);

// Adds the totals to `tally`, and replaces `reloads` and `clock` if they were saved.  What cannot be read is
// left as it is: a figure that begins anew is no reason to end a daemon.  Out of memory, throws
// std::bad_alloc.
void restore_report(std::string_view bytes, Tally& tally, Reloads& reloads, WallClock& clock);

}  // namespace heartbeat
