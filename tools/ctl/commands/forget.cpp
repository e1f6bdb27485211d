// heartbeatctl forget
#include <string>

#include "tools/ctl/commands/all.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl::commands {
namespace {

class ForgetCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.client_operand("GLOB", "A pattern for the names of closed clients", match_);
  }

  Outcome run(Session& session, const Output& output) override {
    const auto done = session.ask(Request{"forget"}.with("match", match_), [](const Reply&) {});
    if (!done) return tl::unexpected(done.error());
    if (done->object().number("count").value_or(0) == 0) {
      return tl::unexpected(Failure{kNo, {"no closed client matches"}});
    }
    if (output.json()) {
      output.print(*done);
    } else {
      output.print({{{"closed clients that are forgotten: " + shown(done->object().written("count"))}}});
    }
    return {};
  }

 private:
  std::string match_;
};

}  // namespace

Made make_forget() {
  return std::make_unique<ForgetCommand>();
}

}  // namespace heartbeat::ctl::commands
