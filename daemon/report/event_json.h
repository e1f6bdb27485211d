// An event of the change feed as members of a JSON object.
#pragma once

#include <string_view>

#include "common/json_writer.h"
#include "daemon/core/event.h"
#include "daemon/report/report_context.h"

namespace heartbeat {

// Each adds to the object that is open.
void add_event(JsonWriter& json, const Event& event, const WallClock& clock);

// The same as a follower of the feed gets it: with its type and its place in the feed of this run.
void add_feed_event(JsonWriter& json, const Event& event, std::string_view boot, const WallClock& clock);

}  // namespace heartbeat
