// heartbeatctl restart
#include "tools/ctl/commands/all.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl::commands {
namespace {

class RestartCommand final : public Command {
 public:
  Outcome run(Session& session, const Output& output) override {
    const auto done = session.ask(Request{"restart"}, [](const Reply&) {});
    if (!done) return tl::unexpected(done.error());
    if (output.json()) {
      output.print(*done);
      return {};
    }
    const Object restart = done->object();
    output.print({{{"version " + shown(restart.text("from_version")) + " -> " +
                    shown(restart.text("to_version")) + ", " + restart.written("clients") +
                    " clients kept, none read for " + restart.written("restarted_ms") + " ms"}}});
    return {};
  }
};

}  // namespace

Made make_restart() {
  return std::make_unique<RestartCommand>();
}

}  // namespace heartbeat::ctl::commands
