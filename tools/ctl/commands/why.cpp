// heartbeatctl why
#include "tools/ctl/commands/all.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/story_text.h"

namespace heartbeat::ctl::commands {
namespace {

class WhyCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.client_operand("CLIENT", "Its name: its id, or the address that it was seen at", client_);
  }

  Outcome run(Session& session, const Output& output) override {
    const auto story = session.ask_for_one(Request{"why"}.with("client", client_));
    if (!story) return tl::unexpected(story.error());
    if (output.json()) return {};

    const auto status = session.ask_for_one(Request{"status"});
    if (!status) return tl::unexpected(status.error());
    output.print(story_lines(story->object(), status->object().object("rule"), output.width()));
    return {};
  }

 private:
  std::string client_;
};

}  // namespace

Made make_why() {
  return std::make_unique<WhyCommand>();
}

}  // namespace heartbeat::ctl::commands
