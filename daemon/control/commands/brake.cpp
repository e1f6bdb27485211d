// brake: ends a brake on mass closing that holds, by closing the clients that wait or by letting them stay.
#include "common/json_frame.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat::commands {
namespace {

void end_brake(std::string& out, OperatorDesk& desk, Operator who, BrakeEnd how) {
  const auto count = desk.end_brake(how);
  if (!count) return append_error(out, "no_brake", "the brake on mass closing does not hold");
  log_change("brake", who,
             " action=" + std::string{how == BrakeEnd::Confirmed ? "confirm" : "release"} +
                 " clients=" + std::to_string(*count));
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "done");
    json.add("count", *count);
  });
}

}  // namespace

Reading read_brake(Members& request) {
  const std::string action = request.required_text("action");
  if (action != "confirm" && action != "release") request.refuse("action", "is not one of confirm, release");
  const BrakeEnd how = action == "release" ? BrakeEnd::Released : BrakeEnd::Confirmed;
  return request.made(Order{[how](Operator who, ControlContext& context) {
    return answer_after_judging(
        context.desk, [&desk = context.desk, who, how](std::string& out) { end_brake(out, desk, who, how); });
  }});
}

}  // namespace heartbeat::commands
