// The drain that lasts, as JSON.
#pragma once

#include "common/json_writer.h"
#include "daemon/core/monitor.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

// The members of the monitor's drain, which there must be.
void add_drain(JsonWriter& json, const Monitor& monitor, const WallClock& clock);

}  // namespace heartbeat
