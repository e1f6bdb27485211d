// What heartbeatd's command line asks for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/config/given.h"

namespace heartbeat {

struct CommandLine {
  enum class Task : std::uint8_t { Run, CheckConfig, PrintConfig, CanRestore };

  Task task = Task::Run;
  std::string config_file;  // empty: the default one, where it exists
  std::vector<Given> flags;
  bool debug = false;     // the foreground mode for a person at a terminal
  unsigned restores = 0;  // of CanRestore: the number of the format
};

// How a program that starts no daemon ends: with text for standard output and 0, or with lines for standard
// error and an exit code of sysexits.h.
struct End {
  int exit_code;
  std::string text;
};

[[nodiscard]] tl::expected<CommandLine, End> parse_command_line(int argc, const char* const* argv);

}  // namespace heartbeat
