#include "daemon/report/rule_json.h"

namespace heartbeat {

void add_rule(JsonWriter& json, const Rule& rule) {
  json.begin_object("rule");
  json.add("tick_ms", rule.tick);
  json.add("threshold", rule.threshold);
  json.add("cursor", rule.cursor);
  json.add("recover", rule.recover);
  json.add("leave_timeout_ms", rule.leave_timeout);
  json.end_object();
}

}  // namespace heartbeat
