#include "daemon/report/hold_json.h"

namespace heartbeat {

void add_hold(JsonWriter& json, const Hold& hold, const WallClock& clock) {
  json.add("match", hold.clients.text);
  json.add("why", hold.why);
  json.add("uid", hold.uid);
  json.add("since", format_instant(clock.at(hold.since)));
  json.add("until", format_instant(clock.at(hold.until)));
}

}  // namespace heartbeat
