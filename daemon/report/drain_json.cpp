#include "daemon/report/drain_json.h"

namespace heartbeat {

void add_drain(JsonWriter& json, const Monitor& monitor, const WallClock& clock) {
  const Drain& drain = *monitor.drain();
  json.add("since", format_instant(clock.at(drain.since())));
  json.add("uid", drain.order().uid);
  json.add("rate", drain.order().rate);
  json.add("retry_after_ms", drain.order().retry_after);
  json.add("drained", drain.drained());
  json.add("left", monitor.clients().size());
  json.add("complete", drain.is_complete());
}

}  // namespace heartbeat
