// A command of the control socket: its name, and how a request for it is read.
//
// Each command has a file in daemon/control/commands/, which reads the request and makes the answer; the
// table of all is in commands.cpp.  docs/control.md describes each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "daemon/control/access.h"
#include "daemon/control/control_context.h"
#include "daemon/control/members.h"
#include "daemon/report/answer.h"

namespace heartbeat {

// The process at the other end of a session, as the kernel names it.
struct Operator {
  std::uint32_t uid = 0;
  std::int32_t pid = 0;
  Rights rights = Rights::All;
};

// A request that has been checked in every member: begins its answer.  Called once.
using Order = std::function<std::unique_ptr<Answer>(Operator who, ControlContext& context)>;

struct Command {
  std::string_view name;
  Rights needs;  // Read: it changes nothing, and shows no settings
  // The error is a sentence that says what is wrong and what would be right.
  tl::expected<Order, std::string> (*read)(Members& request);
};

}  // namespace heartbeat
