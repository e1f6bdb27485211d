// heartbeatctl roster
#include <cstdio>
#include <set>
#include <string>

#include "common/limits.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl::commands {
namespace {

class RosterCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.flag("--export", "Print the id of every client, connected or closed, as a roster's file",
                    export_);
    parameters.flag("--diff", "Print - for each client that is missing, + for each that is not expected",
                    diff_);
  }

  [[nodiscard]] std::string contradiction(const Options& /*options*/) const override {
    return export_ && diff_ ? "--export and --diff exclude one another" : "";
  }

  Outcome run(Session& session, const Output& output) override {
    if (export_) return print_all(session, output);
    auto listed = print_list(session, output, "missing", diff_ ? "- " : "");
    if (listed && diff_) listed = print_list(session, output, "unexpected", "+ ");
    return listed;
  }

 private:
  static Outcome print_list(Session& session, const Output& output, const char* list,
                            const std::string& mark) {
    const auto done = session.ask(Request{"roster"}.with("list", std::string{list}), [&](const Reply& reply) {
      if (!output.json()) output.print({{{mark + shown(reply.object().text("client"))}}});
    });
    if (!done) return tl::unexpected(done.error());
    return {};
  }

  static Outcome print_all(Session& session, const Output& output) {
    std::set<std::string> ids;
    const auto take = [&](const Reply& reply) {
      if (const std::string id{reply.object().text("id")}; !id.empty()) ids.insert(id);
    };
    std::string cursor;
    do {
      Request request{"clients"};
      request.with("limit", std::uint64_t{limits::kListMax});
      if (!cursor.empty()) request.with("cursor", cursor);
      const auto done = session.ask(request, take);
      if (!done) return tl::unexpected(done.error());
      cursor = done->object().written("next");
    } while (!cursor.empty());
    const auto done = session.ask(Request{"closed"}.with("limit", std::uint64_t{limits::kListMax}), take);
    if (!done) return tl::unexpected(done.error());
    if (!output.json()) {
      for (const std::string& id : ids) std::printf("%s\n", id.c_str());
    }
    return {};
  }

  bool export_ = false;
  bool diff_ = false;
};

}  // namespace

Made make_roster() {
  return std::make_unique<RosterCommand>();
}

}  // namespace heartbeat::ctl::commands
