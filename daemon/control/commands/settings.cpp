// settings: each setting in force, and where its value comes from.
#include "common/json_frame.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat::commands {

Reading read_settings(Members& request) {
  return request.made(Order{[](Operator, ControlContext& context) {
    return one_answer([&desk = context.desk](std::string& out) {
      for (const SettingInForce& setting : desk.settings()) {
        append_json_frame(out, [&](JsonWriter& json) {
          json.add("type", "setting");
          json.add("name", setting.name);
          json.add("value", setting.value);
          json.add("origin", setting.origin);
        });
      }
      append_done(out);
    });
  }});
}

}  // namespace heartbeat::commands
