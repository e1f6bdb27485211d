// What the commands of the control socket look at and do: lent and given by main, for the life of the daemon.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/mono_time.h"
#include "daemon/config/load.h"
#include "daemon/config/reload_result.h"
#include "daemon/core/feed.h"
#include "daemon/core/monitor.h"
#include "daemon/report/report_context.h"
#include "daemon/report/status_json.h"
#include "daemon/report/wall_clock.h"

namespace heartbeat {

struct ControlActions {
  std::function<MonoTime()> now;  // on the listening clock
  // Closes the client of that name; whether there was one.
  std::function<bool(std::string_view name, std::string_view message)> kick;
  // Ends the brake on mass closing: Monitor::end_brake().
  std::function<std::optional<std::size_t>(BrakeEnd how)> end_brake;
  // Changes the log's level and returns what it was; the error is a sentence.
  std::function<tl::expected<std::string, std::string>(const std::string& level)> set_log_level;
  std::function<std::vector<SettingInForce>()> settings;
  std::function<ReloadResult()> reload;
  // Adds what `status` tells to the object that is open.
  std::function<void(JsonWriter&)> add_status;
};

struct ControlContext {
  const Boot& boot;
  const Monitor& monitor;
  const Feed& feed;
  const WallClock& clock;
  ControlActions actions;
  std::size_t sorted_lists = 0;  // in the making

  [[nodiscard]] ReportContext report() const {
    return {.rule = monitor.settings().rule, .clock = clock, .now = actions.now(), .brake = monitor.brake()};
  }
};

}  // namespace heartbeat
