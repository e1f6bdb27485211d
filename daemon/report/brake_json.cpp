#include "daemon/report/brake_json.h"

namespace heartbeat {

void add_brake_span(JsonWriter& json, const BrakeSpan& span, const WallClock& clock) {
  json.add("from", format_instant(clock.at(span.from)));
  json.add("until", format_instant(clock.at(span.until)));
  json.add("concerned", span.concerned);
  json.add("clients", span.connected);
  if (span.end) json.add("ended", to_string(*span.end));
}

void add_brake(JsonWriter& json, const BrakeReport& report, const WallClock& clock) {
  add_brake_span(json, report.span, clock);
  if (!report.subnet.empty()) json.add("subnet", report.subnet);
  if (report.listener) json.add("listener", to_string(*report.listener));
  if (!report.group.empty()) json.add("group", report.group);
  json.add("heard_first", format_instant(clock.at(report.heard_first)));
  json.add("heard_last", format_instant(clock.at(report.heard_last)));
  if (report.span.end) json.add("held", report.held);
}

}  // namespace heartbeat
