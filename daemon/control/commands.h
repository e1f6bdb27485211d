// The commands of the control socket: a request in, the answer to it out.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "daemon/control/command.h"
#include "daemon/report/answer.h"

namespace heartbeat {

[[nodiscard]] std::span<const Command> all_commands();

// The trust boundary: a request that is read has been checked in every member.  A command
// that needs other rights is answered `forbidden`.  The error is a sentence.
[[nodiscard]] tl::expected<Order, std::string> read_request(std::string_view body,
                                                            Rights rights = Rights::All);

[[nodiscard]] std::unique_ptr<Answer> answer_to(std::string_view request, Operator who,
                                                ControlContext& context);

// The answer to bytes that are not a frame; `length` stood where a frame's length would.
[[nodiscard]] std::unique_ptr<Answer> answer_to_no_frame(std::int32_t length);

}  // namespace heartbeat
