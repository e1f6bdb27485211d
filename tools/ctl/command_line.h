// The command line: which command, what it was given, and what all commands share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

#include "common/limits.h"
#include "common/mono_time.h"

namespace heartbeat::ctl {

// What was not given is empty.
struct StatusCommand {};
struct ClientsCommand {
  std::string status;
  std::string match;
  std::string sort;
  std::optional<std::uint64_t> limit;
};
struct ClosedCommand {
  std::string since;
  std::string reason;
  std::string match;
  std::optional<std::uint64_t> limit;
};
struct WhyCommand {
  std::string client;
};
struct WatchCommand {
  std::string since;
  std::string match;
  std::vector<std::string> events;
  bool snapshot = false;
  bool once = false;  // end when the daemon goes away
};
struct TopCommand {
  std::string sort = "margin";
  std::string match;
};
struct KickCommand {
  std::vector<std::string> clients;
  std::string message;
};
struct BrakeCommand {
  std::string action;
};
struct LogLevelCommand {
  std::string level;
};
struct ReloadCommand {};
struct RestartCommand {};
struct SettingsCommand {};

using Command =
    std::variant<StatusCommand, ClientsCommand, ClosedCommand, WhyCommand, WatchCommand, TopCommand,
                 KickCommand, BrakeCommand, LogLevelCommand, ReloadCommand, RestartCommand, SettingsCommand>;

struct Options {
  std::string control;  // empty: where the daemon is by default
  bool json = false;
  Millis timeout{limits::kControlAnswerDefault};
  Command command;
};

// How a command line that asks nothing ends: with text for standard output and 0 (--help, --version), or with
// one line for standard error and 2.
struct CommandLineEnd {
  int exit_code;
  std::string text;
};

[[nodiscard]] tl::expected<Options, CommandLineEnd> parse_command_line(int argc, const char* const* argv);

}  // namespace heartbeat::ctl
