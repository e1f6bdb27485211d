// The command line: which command, what it was given, and what all commands share.
#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "tools/ctl/command.h"
#include "tools/ctl/options.h"

namespace heartbeat::ctl {

struct CommandLine {
  Options options;
  std::unique_ptr<Command> command;  // never null
};

// How a command line that asks nothing ends: with text for standard output and 0 (--help, --version), or with
// one line for standard error and 2.
struct CommandLineEnd {
  int exit_code;
  std::string text;
};

[[nodiscard]] tl::expected<CommandLine, CommandLineEnd> parse_command_line(int argc, const char* const* argv);

}  // namespace heartbeat::ctl
