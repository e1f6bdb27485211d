// A rule as a member of a JSON object.
#pragma once

#include "common/json_writer.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// The object `rule`: `tick_ms`, `threshold`, `cursor`, `recover`, `leave_timeout_ms`.
void add_rule(JsonWriter& json, const Rule& rule);

}  // namespace heartbeat
