// heartbeatctl kick
#include <algorithm>
#include <span>

#include "tools/ctl/commands/all.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/table.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl::commands {
namespace {

class KickCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.client_operands("CLIENT", "Their names", clients_);
    parameters.text("--message", "TEXT", "Sent to the clients that asked for notices", message_);
  }

  Outcome run(Session& session, const Output& output) override {
    Table table{{{"CLIENT", 0, 8}, {"RESULT", 1}}};
    std::vector<std::string> missing;
    const auto on_object = [&](const Reply& reply) {
      const std::string client{reply.object().text("client")};
      const bool kicked = reply.type() == "kicked";
      if (!kicked) missing.push_back("no such client: " + shown(client));
      table.add({{client}, kicked ? Span{"kicked"} : Span{"not found", Tone::Warning}});
    };
    for (std::span<const std::string> left = clients_; !left.empty();) {
      const auto batch = left.first(std::min(left.size(), limits::kKickBatch));
      left = left.subspan(batch.size());
      Request request{"kick"};
      request.with("clients", batch);
      if (!message_.empty()) request.with("message", message_);
      if (const auto done = session.ask(request, on_object); !done) return tl::unexpected(done.error());
    }
    if (!output.json()) output.print(table.take(output.width()));
    if (!missing.empty()) return tl::unexpected(Failure{kNo, std::move(missing)});
    return {};
  }

 private:
  std::vector<std::string> clients_;
  std::string message_;
};

}  // namespace

Made make_kick() {
  return std::make_unique<KickCommand>();
}

}  // namespace heartbeat::ctl::commands
