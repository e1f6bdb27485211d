#include "daemon/report/conditions_json.h"

namespace heartbeat {

void add_condition(JsonWriter& json, const Condition& condition, const WallClock& clock) {
  json.add("kind", to_string(condition.kind));
  if (!condition.subject.empty()) json.add("subject", condition.subject);
  json.add("since", format_instant(clock.at(condition.began)));
  json.add("latest", format_instant(clock.at(condition.latest)));
  json.add("count", condition.count);
  if (!condition.detail.empty()) json.add("detail", condition.detail);
}

}  // namespace heartbeat
