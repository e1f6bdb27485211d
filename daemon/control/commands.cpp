#include "daemon/control/commands.h"

#include <algorithm>
#include <array>

#include "common/limits.h"
#include "common/text.h"
#include "daemon/control/commands/all.h"
#include "daemon/control/one_answer.h"

namespace heartbeat {
namespace {

constexpr std::array kCommands{
    Command{"status", commands::read_status},     Command{"clients", commands::read_clients},
    Command{"closed", commands::read_closed},     Command{"why", commands::read_why},
    Command{"watch", commands::read_watch},       Command{"kick", commands::read_kick},
    Command{"brake", commands::read_brake},       Command{"log_level", commands::read_log_level},
    Command{"settings", commands::read_settings}, Command{"reload", commands::read_reload},
    Command{"restart", commands::read_restart},
};

std::string all_names() {
  std::string names;
  for (const Command& command : kCommands) names.append(names.empty() ? "" : ", ").append(command.name);
  return names;
}

}  // namespace

std::span<const Command> all_commands() {
  return kCommands;
}

tl::expected<Order, std::string> read_request(std::string_view body) {
  auto request = Members::parse(body);
  if (!request) return tl::unexpected(request.error());
  const std::string name = request->required_text("command");
  const auto* const command = std::find_if(kCommands.begin(), kCommands.end(),
                                           [&](const Command& each) { return each.name == name; });
  if (command != kCommands.end()) return command->read(*request);
  request->refuse("command", "'" + escaped(name, limits::kExcerptMax) + "' is not one of " + all_names());
  return request->made(Order{});
}

std::unique_ptr<Answer> answer_to(std::string_view request, Operator who, ControlContext& context) {
  const auto order = read_request(request);
  if (!order) return error_answer("bad_request", order.error());
  return (*order)(who, context);
}

std::unique_ptr<Answer> answer_to_no_frame(std::int32_t length) {
  return error_answer("bad_request", "this is not a frame: its length would be " + std::to_string(length) +
                                         ", and 1 to " + std::to_string(limits::kControlFrameMax) +
                                         " are allowed; see docs/control.md");
}

}  // namespace heartbeat
