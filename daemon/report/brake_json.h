// The brake on mass closing as members of a JSON object.
#pragma once

#include "common/json_writer.h"
#include "daemon/core/monitor.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

// Each adds to the object that is open.

// When it held, for how many of how many clients, and how it ended.
void add_brake_span(JsonWriter& json, const BrakeSpan& span, const WallClock& clock);

// And what the clients have in common.
void add_brake(JsonWriter& json, const BrakeReport& report, const WallClock& clock);

}  // namespace heartbeat
