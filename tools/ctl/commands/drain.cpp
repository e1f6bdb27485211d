// heartbeatctl drain
#include <cstdint>
#include <optional>
#include <string>

#include "common/duration.h"
#include "common/limits.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl::commands {
namespace {

class DrainCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.count("--rate", "Clients that are closed in a second [100]", rate_);
    parameters.duration(
        "--retry-after",
        "How long a client must wait before it connects again, at least; at most twice that [10s]",
        retry_after_);
    parameters.flag("--stop", "End the drain: clients that are connected stay, and new ones are taken",
                    stop_);
  }

  [[nodiscard]] std::string contradiction(const Options& /*options*/) const override {
    if (stop_ && (rate_ || !retry_after_.empty())) return "--stop: goes with no other option";
    if (rate_ && *rate_ > limits::kDrainRateMax)
      return "--rate: at most " + std::to_string(limits::kDrainRateMax);
    return {};
  }

  Outcome run(Session& session, const Output& output) override {
    Request request{"drain"};
    if (stop_) request.flagged("stop");
    if (rate_) request.with("rate", *rate_);
    if (!retry_after_.empty()) {
      request.with("retry_after_ms",
                   static_cast<std::uint64_t>(parse_duration(retry_after_).value().count()));
    }
    const auto done = session.ask(request, [](const Reply&) {});
    if (!done) return tl::unexpected(done.error());
    if (output.json()) {
      output.print(*done);
      return {};
    }
    const std::string count = shown(done->object().written("count"));
    output.print({{{stop_ ? "clients that were drained: " + count
                          : count + " clients are drained now, " + shown(done->object().written("rate")) +
                                " a second; heartbeatctl status shows how many are left"}}});
    return {};
  }

 private:
  std::optional<std::uint64_t> rate_;
  std::string retry_after_;
  bool stop_ = false;
};

}  // namespace

Made make_drain() {
  return std::make_unique<DrainCommand>();
}

}  // namespace heartbeat::ctl::commands
