// heartbeatctl reload
#include "tools/ctl/commands/all.h"
#include "tools/ctl/table.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl::commands {
namespace {

class ReloadCommand final : public Command {
 public:
  Outcome run(Session& session, const Output& output) override {
    const auto done = session.ask(Request{"reload"}, [](const Reply&) {});
    if (!done) return tl::unexpected(done.error());
    if (output.json()) {
      output.print(*done);
      return {};
    }
    Table table{{{"SETTING", 0, 8}, {"WAS", 2, 6}, {"IS", 1, 6}}};
    const std::vector<Object> changed = done->object().objects("changed");
    for (const Object& each : changed) {
      table.add({{each.written("name")}, {each.written("from")}, {each.written("to")}});
    }
    if (changed.empty()) {
      output.print({{{"nothing changed"}}});
    } else {
      output.print(table.take(output.width()));
    }
    for (const std::string& name : done->object().texts("needs_restart")) {
      output.print(
          {{{shown(name) + " has changed in the file, and will count after a restart", Tone::Warning}}});
    }
    return {};
  }
};

}  // namespace

Made make_reload() {
  return std::make_unique<ReloadCommand>();
}

}  // namespace heartbeat::ctl::commands
