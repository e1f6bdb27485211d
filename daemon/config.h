// What the daemon is told at its start: defaults, then flags, into one validated value.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "common/endpoint.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

struct Config {
  Settings settings;
  std::vector<HostPort> listen;  // never empty
  int backlog = 4096;            // the kernel lowers it to net.core.somaxconn
  std::string log_level = "info";
  bool debug = false;  // the foreground mode for a person at a terminal
};

// How a command line that starts no daemon ends: with text for standard output and 0 (--help, --version), or
// with one line for standard error and an exit code of sysexits.h.
struct CommandLineEnd {
  int exit_code;
  std::string text;
};

[[nodiscard]] tl::expected<Config, CommandLineEnd> parse_command_line(int argc, const char* const* argv);

}  // namespace heartbeat
