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
    Command{"status", Rights::Read, commands::read_status},
    Command{"clients", Rights::Read, commands::read_clients},
    Command{"closed", Rights::Read, commands::read_closed},
    Command{"why", Rights::Read, commands::read_why},
    Command{"roster", Rights::Read, commands::read_roster},
    Command{"watch", Rights::Read, commands::read_watch},
    Command{"kick", Rights::All, commands::read_kick},
    Command{"supersede", Rights::All, commands::read_supersede},
    Command{"remember", Rights::All, commands::read_remember},
    Command{"brake", Rights::All, commands::read_brake},
    Command{"forget", Rights::All, commands::read_forget},
    Command{"drain", Rights::All, commands::read_drain},
    Command{"hold", Rights::All, commands::read_hold},
    Command{"release", Rights::All, commands::read_release},
    Command{"log_level", Rights::All, commands::read_log_level},
    Command{"settings", Rights::All, commands::read_settings},
    Command{"reload", Rights::All, commands::read_reload},
    Command{"restart", Rights::All, commands::read_restart},
};

std::string all_names() {
  std::string names;
  for (const Command& command : kCommands) names.append(names.empty() ? "" : ", ").append(command.name);
  return names;
}

std::unique_ptr<Answer> forbid(const std::string& name) {
  return error_answer("forbidden", "'" + name + "' is not for members of control_readers, who may only see");
}

}  // namespace

std::span<const Command> all_commands() {
  return kCommands;
}

tl::expected<Order, std::string> read_request(std::string_view body, Rights rights) {
  auto request = Members::parse(body);
  if (!request) return tl::unexpected(request.error());
  const std::string name = request->required_text("command");
  const auto* const command = std::find_if(kCommands.begin(), kCommands.end(),
                                           [&](const Command& each) { return each.name == name; });
  if (command != kCommands.end()) {
    if (rights < command->needs) return Order{[name](Operator, ControlContext&) { return forbid(name); }};
    return command->read(*request);
  }
  request->refuse("command", "'" + escaped(name, limits::kExcerptMax) + "' is not one of " + all_names());
  return request->made(Order{});
}

std::unique_ptr<Answer> answer_to(std::string_view request, Operator who, ControlContext& context) {
  const auto order = read_request(request, who.rights);
  if (!order) return error_answer("bad_request", order.error());
  return (*order)(who, context);
}

std::unique_ptr<Answer> answer_to_no_frame(std::int32_t length) {
  return error_answer("bad_request", "this is not a frame: its length would be " + std::to_string(length) +
                                         ", and 1 to " + std::to_string(limits::kControlFrameMax) +
                                         " are allowed; see docs/control.md");
}

}  // namespace heartbeat
