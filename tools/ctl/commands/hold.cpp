// heartbeatctl hold and release
#include <string>

#include "common/duration.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/text_width.h"
#include "tools/ctl/time_text.h"

namespace heartbeat::ctl::commands {
namespace {

class HoldCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.client_operand("GLOB", "A pattern for the names of the clients that are worked on", match_);
    parameters.required_duration("--for", "How long; the hold ends by itself then", length_);
    parameters.required_text("--why", "TEXT", "Shown wherever the clients are, and kept in the log", why_);
  }

  Outcome run(Session& session, const Output& output) override {
    const auto length = static_cast<std::uint64_t>(parse_duration(length_).value().count());
    const auto done = session.ask(
        Request{"hold"}.with("match", match_).with("for_ms", length).with("why", why_), [](const Reply&) {});
    if (!done) return tl::unexpected(done.error());
    if (output.json()) {
      output.print(*done);
    } else {
      output.print({{{"no client " + shown(match_) + " is closed for silence until " +
                      shown(local_time(done->object().text("until")))}}});
    }
    return {};
  }

 private:
  std::string match_;
  std::string length_;
  std::string why_;
};

class ReleaseCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.client_operand("GLOB", "The pattern of a hold, as status shows it", match_);
  }

  Outcome run(Session& session, const Output& output) override {
    const auto done = session.ask(Request{"release"}.with("match", match_), [](const Reply&) {});
    if (!done) return tl::unexpected(done.error());
    if (output.json()) output.print(*done);
    return {};
  }

 private:
  std::string match_;
};

}  // namespace

Made make_hold() {
  return std::make_unique<HoldCommand>();
}

Made make_release() {
  return std::make_unique<ReleaseCommand>();
}

}  // namespace heartbeat::ctl::commands
