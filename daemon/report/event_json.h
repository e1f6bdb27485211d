// An event of the change feed as members of a JSON object.
#pragma once

#include "common/json_writer.h"
#include "daemon/core/event.h"
#include "daemon/report/report_context.h"

namespace heartbeat {

// Adds to the object that is open; where the event stands in the feed is for the caller to say.
void add_event(JsonWriter& json, const Event& event, const WallClock& clock);

}  // namespace heartbeat
