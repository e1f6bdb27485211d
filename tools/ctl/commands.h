// What each command does: ask, show, and say how it went.
#pragma once

#include "tools/ctl/command_line.h"
#include "tools/ctl/output.h"
#include "tools/ctl/session.h"

namespace heartbeat::ctl {

[[nodiscard]] Outcome run(const StatusCommand& command, Session& session, const Output& output);
[[nodiscard]] Outcome run(const ClientsCommand& command, Session& session, const Output& output);
[[nodiscard]] Outcome run(const ClosedCommand& command, Session& session, const Output& output);
[[nodiscard]] Outcome run(const WhyCommand& command, Session& session, const Output& output);
[[nodiscard]] Outcome run(const WatchCommand& command, Session& session, const Output& output);
[[nodiscard]] Outcome run(const TopCommand& command, Session& session, const Output& output);
[[nodiscard]] Outcome run(const KickCommand& command, Session& session, const Output& output);
[[nodiscard]] Outcome run(const BrakeCommand& command, Session& session, const Output& output);
[[nodiscard]] Outcome run(const LogLevelCommand& command, Session& session, const Output& output);
[[nodiscard]] Outcome run(const ReloadCommand& command, Session& session, const Output& output);
[[nodiscard]] Outcome run(const RestartCommand& command, Session& session, const Output& output);
[[nodiscard]] Outcome run(const SettingsCommand& command, Session& session, const Output& output);

}  // namespace heartbeat::ctl
