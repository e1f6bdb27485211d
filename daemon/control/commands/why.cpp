// why: the story of one client, connected or among the last that were closed.
#include <utility>

#include "common/json_frame.h"
#include "common/text.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"
#include "daemon/report/story_json.h"

namespace heartbeat::commands {
namespace {

void append_story(std::string& out, const std::string& name, const OperatorDesk& desk) {
  const Monitor& monitor = desk.monitor();
  const auto append = [&](const auto& client) {
    append_json_frame(out, [&](JsonWriter& json) {
      json.add("type", "story");
      add_story(json, client, monitor.stalls(), desk.report());
    });
    append_done(out);
  };
  if (const auto slot = monitor.clients().slot_named(name)) return append(*monitor.clients().at(*slot));
  if (const ClosedClient* const closed = monitor.closed_clients().find(name)) return append(*closed);
  append_error(out, "no_such_client",
               "no client " + log_value(name) + " is connected, or among the last that were closed");
}

}  // namespace

Reading read_why(Members& request) {
  std::string name = request.required_text("client");
  return request.made(Order{[name = std::move(name)](Operator, ControlContext& context) {
    return one_answer([&desk = context.desk, name](std::string& out) { append_story(out, name, desk); });
  }});
}

}  // namespace heartbeat::commands
