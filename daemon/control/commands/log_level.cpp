// log_level: changes the level of the log, until a reload changes it again.
#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/json_frame.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat::commands {
namespace {

void set_log_level(std::string& out, OperatorDesk& desk, Operator who, const std::string& level) {
  const auto former = spdlog::get_level();
  const auto from = desk.set_log_level(level);
  if (!from) return append_error(out, "bad_request", "'level': " + from.error());
  // Logged at the more verbose of the two levels, so that silencing the log is itself logged.
  const auto present = spdlog::get_level();
  spdlog::set_level(std::min(former, present));
  log_change("log_level", who, " from=" + *from + " to=" + level);
  spdlog::set_level(present);
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "done");
    json.add("from", *from);
    json.add("to", level);
  });
}

}  // namespace

Reading read_log_level(Members& request) {
  std::string level = request.required_text("level");
  return request.made(Order{[level = std::move(level)](Operator who, ControlContext& context) {
    return one_answer(
        [&desk = context.desk, who, level](std::string& out) { set_log_level(out, desk, who, level); });
  }});
}

}  // namespace heartbeat::commands
