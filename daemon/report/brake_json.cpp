#include "daemon/report/brake_json.h"

namespace heartbeat {
namespace {

std::string_view state_of(const ClosingBrake& brake) {
  if (brake.holds()) return "holding";
  return brake.is_on() ? "ready" : "off";
}

}  // namespace

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
  json.add("heard_first", format_instant(clock.at(report.heard_first)));
  json.add("heard_last", format_instant(clock.at(report.heard_last)));
  if (report.span.end) json.add("held", report.held);
}

void add_brake_state(JsonWriter& json, const Monitor& monitor, const WallClock& clock, MonoTime now) {
  const ClosingBrake& brake = monitor.brake();
  json.begin_object("brake");
  json.add("state", state_of(brake));
  json.add("count", brake.times_held());
  if (brake.holds()) json.add("waiting", brake.waiting(now));
  if (monitor.last_brake() != nullptr) {
    json.begin_object("last");
    // While it holds, a reload may have moved its end.
    BrakeReport last = *monitor.last_brake();
    last.span = brake.spans().back();
    add_brake(json, last, clock);
    json.end_object();
  }
  json.end_object();
}

}  // namespace heartbeat
