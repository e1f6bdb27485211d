// What HTTP shows: lent by main for the life of the daemon.  Nothing in it changes anything.
#pragma once

#include <functional>
#include <string>

#include "common/json_writer.h"
#include "common/mono_time.h"
#include "daemon/core/feed.h"
#include "daemon/core/histogram.h"
#include "daemon/core/monitor.h"
#include "daemon/report/reloads.h"
#include "daemon/report/report_context.h"
#include "daemon/report/status_json.h"
#include "daemon/report/tally.h"
#include "daemon/report/timeline.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat::http {

struct Context {
  const Boot& boot;
  const Monitor& monitor;
  const Feed& feed;
  const WallClock& clock;
  const Tally& tally;
  const Timeline& timeline;
  const Reloads& reloads;
  const Histogram& loop_lateness;
  std::function<Doors()> doors;
  std::function<MonoTime()> now;  // on the listening clock
  // Adds what `status` tells to the object that is open.
  std::function<void(JsonWriter&)> add_status;
  std::function<ProcessUsage()> usage;
  // Why the daemon is not healthy, or not ready for clients: a line without its end, empty when it is.
  std::function<std::string()> unhealthy;
  std::function<std::string()> unready;

  [[nodiscard]] ReportContext report() const {
    return {.rule = monitor.settings().rule, .clock = clock, .now = now(), .brake = monitor.brake()};
  }
};

}  // namespace heartbeat::http
