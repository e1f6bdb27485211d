// heartbeatctl why
#include "tools/ctl/commands.h"
#include "tools/ctl/story_text.h"

namespace heartbeat::ctl {

Outcome run(const WhyCommand& command, Session& session, const Output& output) {
  const auto story = session.ask_for_one(Request{"why"}.with("client", command.client));
  if (!story) return tl::unexpected(story.error());
  if (output.json()) return {};

  const auto status = session.ask_for_one(Request{"status"});
  if (!status) return tl::unexpected(status.error());
  output.print(story_lines(story->object(), status->object().object("rule"), output.width()));
  return {};
}

}  // namespace heartbeat::ctl
