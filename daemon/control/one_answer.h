// Answers that are short enough to be made in one piece, and the frames that end every answer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/control/command.h"
#include "daemon/report/answer.h"

namespace heartbeat {

// An answer that `make` appends as a whole, when the session's turn comes.
[[nodiscard]] std::unique_ptr<Answer> one_answer(std::function<void(std::string& out)> make);

// The same for an order that concerns every client: made once the desk has no clients to judge.
[[nodiscard]] std::unique_ptr<Answer> answer_after_judging(const OperatorDesk& desk,
                                                           std::function<void(std::string& out)> make);

// An answer of one error; `message` is a sentence.
[[nodiscard]] std::unique_ptr<Answer> error_answer(std::string_view code, std::string message);

// The frame that ends an answer without success, and the one that ends it with.
void append_error(std::string& out, std::string_view code, std::string_view message);
void append_done(std::string& out);

// Logs one thing that a command changed: `operator command=kick uid=1000 pid=4711 client=pump-7`.  `what` is
// empty or begins with a space.
void log_change(std::string_view command, Operator who, std::string_view what);

}  // namespace heartbeat
