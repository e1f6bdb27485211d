// A hold of an operator as members of a JSON object.
#pragma once

#include "common/json_writer.h"
#include "daemon/core/holds.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

// `match`, `why`, `uid`, `since`, `until`.
void add_hold(JsonWriter& json, const Hold& hold, const WallClock& clock);

}  // namespace heartbeat
