// The daemon itself as members of a JSON object: what `status` answers.
#pragma once

#include "common/json_writer.h"
#include "common/mono_time.h"
#include "daemon/report/figures.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

// Adds every figure of the table, and what is no figure, to the object that is open.  `now` is on the
// listening clock.
void add_status(JsonWriter& json, const Figures& figures, const WallClock& clock, MonoTime now);

}  // namespace heartbeat
