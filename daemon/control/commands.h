// A request in, the answer to it out: what each command of docs/control.md does.
//
// Logs each thing that a command changed, with who asked for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/control/control_context.h"
#include "daemon/report/answer.h"

namespace heartbeat {

// Who asks, as the kernel says.
struct Operator {
  std::uint32_t uid = 0;
  std::int32_t pid = 0;
};

[[nodiscard]] std::unique_ptr<Answer> answer_to(std::string_view request, Operator who,
                                                ControlContext& context);

// To bytes that are not a frame, by the length that stood where one would begin.
[[nodiscard]] std::unique_ptr<Answer> answer_to_no_frame(std::int32_t length);

// The one frame that ends an answer without success: `message` is a sentence.
void append_error(std::string& out, std::string_view code, std::string_view message);

}  // namespace heartbeat
