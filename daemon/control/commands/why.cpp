// why: the story of one client, connected or among the last that were closed, or of an address that never
// became one.
#include <utility>

#include "common/json_frame.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"
#include "daemon/report/story_json.h"

namespace heartbeat::commands {
namespace {

void append_story(std::string& out, const std::string& name, const OperatorDesk& desk) {
  const auto named = find_named(desk.monitor(), name);
  if (!named) return append_error(out, "no_such_client", explain_unknown(name));
  append_json_frame(out, [&](JsonWriter& json) {
    json.add("type", "story");
    add_story(json, *named, desk);
  });
  append_done(out);
}

}  // namespace

Reading read_why(Members& request) {
  std::string name = request.required_text("client");
  return request.made(Order{[name = std::move(name)](Operator, ControlContext& context) {
    return one_answer([&desk = context.desk, name](std::string& out) { append_story(out, name, desk); });
  }});
}

}  // namespace heartbeat::commands
