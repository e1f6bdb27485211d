// The conditions that last, as members of a JSON object.
#pragma once

#include "common/json_writer.h"
#include "daemon/core/conditions.h"
#include "daemon/report/report_context.h"

namespace heartbeat {

// Adds `kind`, `subject` (where it has one), `since`, `latest`, `count` and `detail` to the object that is
// open.
void add_condition(JsonWriter& json, const Condition& condition, const WallClock& clock);

}  // namespace heartbeat
