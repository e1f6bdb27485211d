// heartbeatctl kick, brake, log-level, reload, restart
#include <algorithm>
#include <span>

#include "tools/ctl/commands.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/table.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl {

Outcome run(const KickCommand& command, Session& session, const Output& output) {
  Table table{{{"CLIENT", 0, 8}, {"RESULT", 1}}};
  std::vector<std::string> missing;
  const auto on_object = [&](const Reply& reply) {
    const std::string client{reply.object().text("client")};
    const bool kicked = reply.type() == "kicked";
    if (!kicked) missing.push_back("no such client: " + shown(client));
    table.add({{client}, kicked ? Span{"kicked"} : Span{"not found", Tone::Warning}});
  };
  for (std::span<const std::string> left = command.clients; !left.empty();) {
    const auto batch = left.first(std::min(left.size(), limits::kKickBatch));
    left = left.subspan(batch.size());
    Request request{"kick"};
    request.with("clients", batch);
    if (!command.message.empty()) request.with("message", command.message);
    if (const auto done = session.ask(request, on_object); !done) return tl::unexpected(done.error());
  }
  if (!output.json()) output.print(table.take(output.width()));
  if (!missing.empty()) return tl::unexpected(Failure{kNo, std::move(missing)});
  return {};
}

Outcome run(const BrakeCommand& command, Session& session, const Output& output) {
  const auto done = session.ask(Request{"brake"}.with("action", command.action), [](const Reply&) {});
  if (!done) return tl::unexpected(done.error());
  if (output.json()) {
    output.print(*done);
  } else {
    const std::string count = shown(done->object().written("count"));
    output.print({{{command.action == "confirm" ? "clients that waited and are closed now: " + count
                                                : "clients with a new leave period: " + count}}});
  }
  return {};
}

Outcome run(const LogLevelCommand& command, Session& session, const Output& output) {
  const auto done = session.ask(Request{"log_level"}.with("level", command.level), [](const Reply&) {});
  if (!done) return tl::unexpected(done.error());
  if (output.json()) {
    output.print(*done);
  } else {
    const Object change = done->object();
    output.print({{{"log level " + shown(change.text("from")) + " -> " + shown(change.text("to"))}}});
  }
  return {};
}

Outcome run(const ReloadCommand&, Session& session, const Output& output) {
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

Outcome run(const RestartCommand&, Session& session, const Output& output) {
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

}  // namespace heartbeat::ctl
