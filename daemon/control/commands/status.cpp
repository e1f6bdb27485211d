// status: the daemon's figures, and the rule in force.
#include "common/json_frame.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"
#include "daemon/report/status_json.h"

namespace heartbeat::commands {

Reading read_status(Members& request) {
  return request.made(Order{[](Operator, ControlContext& context) {
    return one_answer([&desk = context.desk](std::string& out) {
      append_json_frame(out, [&](JsonWriter& json) {
        json.add("type", "status");
        add_status(json, desk.figures(), desk.clock(), desk.now());
      });
      append_done(out);
    });
  }});
}

}  // namespace heartbeat::commands
