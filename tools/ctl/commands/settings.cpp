// heartbeatctl settings
#include "tools/ctl/commands/all.h"
#include "tools/ctl/table.h"

namespace heartbeat::ctl::commands {
namespace {

class SettingsCommand final : public Command {
 public:
  Outcome run(Session& session, const Output& output) override {
    Table table{{{"SETTING", 0, 8}, {"VALUE", 1, 8}, {"ORIGIN", 2, 8}}};
    const auto done = session.ask(Request{"settings"}, [&](const Reply& reply) {
      const Object setting = reply.object();
      table.add({{setting.written("name")}, {setting.written("value")}, {setting.written("origin")}});
    });
    if (!done) return tl::unexpected(done.error());
    if (!output.json()) output.print(table.take(output.width()));
    return {};
  }
};

}  // namespace

Made make_settings() {
  return std::make_unique<SettingsCommand>();
}

}  // namespace heartbeat::ctl::commands
