// reload: reads the configuration again and puts it into force, as SIGHUP does.
#include "common/json_frame.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat::commands {
namespace {

void append_refusal(std::string& out, const std::vector<std::string>& errors) {
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "error");
    json.add("code", "config_invalid");
    json.add("message", "the configuration was refused, and nothing has changed");
    json.begin_array("errors");
    for (const std::string& sentence : errors) json.value(sentence);
    json.end_array();
  });
}

void reload(std::string& out, OperatorDesk& desk, Operator who) {
  const ReloadResult result = desk.reload();
  if (!result.errors.empty()) return append_refusal(out, result.errors);
  log_change("reload", who, " changed=" + std::to_string(result.changed.size()));
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "done");
    json.begin_array("changed");
    for (const ReloadResult::Change& change : result.changed) {
      json.begin_object();
      json.add("name", change.name);
      json.add("from", change.before);
      json.add("to", change.after);
      json.end_object();
    }
    json.end_array();
    json.begin_array("needs_restart");
    for (const ReloadResult::Change& change : result.needs_restart) json.value(change.name);
    json.end_array();
  });
}

}  // namespace

Reading read_reload(Members& request) {
  return request.made(Order{[](Operator who, ControlContext& context) {
    return answer_after_judging(context.desk,
                                [&desk = context.desk, who](std::string& out) { reload(out, desk, who); });
  }});
}

}  // namespace heartbeat::commands
