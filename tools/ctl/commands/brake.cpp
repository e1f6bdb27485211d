// heartbeatctl brake
#include <array>
#include <string_view>

#include "tools/ctl/commands/all.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl::commands {
namespace {

constexpr std::array<std::string_view, 2> kActions{"confirm", "release"};

class BrakeCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.choice_operand("ACTION",
                              "confirm: they are really gone, close those that wait; release: the cause was "
                              "elsewhere, give every client in leave a new leave period",
                              kActions, action_);
  }

  Outcome run(Session& session, const Output& output) override {
    const auto done = session.ask(Request{"brake"}.with("action", action_), [](const Reply&) {});
    if (!done) return tl::unexpected(done.error());
    if (output.json()) {
      output.print(*done);
    } else {
      const std::string count = shown(done->object().written("count"));
      output.print({{{action_ == "confirm" ? "clients that waited and are closed now: " + count
                                           : "clients with a new leave period: " + count}}});
    }
    return {};
  }

 private:
  std::string action_;
};

}  // namespace

Made make_brake() {
  return std::make_unique<BrakeCommand>();
}

}  // namespace heartbeat::ctl::commands
