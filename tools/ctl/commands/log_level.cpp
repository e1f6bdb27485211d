// heartbeatctl log-level
#include <array>
#include <string_view>

#include "tools/ctl/commands/all.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl::commands {
namespace {

constexpr std::array<std::string_view, 7> kLevels{"trace", "debug",    "info", "warning",
                                                  "error", "critical", "off"};

class LogLevelCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.choice_operand("LEVEL", "trace, debug, info, warning, error, critical or off", kLevels,
                              level_);
  }

  Outcome run(Session& session, const Output& output) override {
    const auto done = session.ask(Request{"log_level"}.with("level", level_), [](const Reply&) {});
    if (!done) return tl::unexpected(done.error());
    if (output.json()) {
      output.print(*done);
    } else {
      const Object change = done->object();
      output.print({{{"log level " + shown(change.text("from")) + " -> " + shown(change.text("to"))}}});
    }
    return {};
  }

 private:
  std::string level_;
};

}  // namespace

Made make_log_level() {
  return std::make_unique<LogLevelCommand>();
}

}  // namespace heartbeat::ctl::commands
