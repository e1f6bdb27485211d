// What the daemon is told at its start: defaults, then flags, into one validated value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "common/endpoint.h"
#include "common/limits.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

enum class LogTarget : std::uint8_t {
  Auto,     // the journal where standard error leads there, else standard error
  Stderr,   // lines
  Journal,  // structured records
};

struct Config {
  Settings settings;
  std::vector<HostPort> listen;  // never empty
  int backlog = 4096;            // the kernel lowers it to net.core.somaxconn
  std::string log_level = "info";
  LogTarget log_target = LogTarget::Auto;
  unsigned log_rate = limits::kLogRateDefault;  // records of one kind of event in a second; 0 for no limit
  std::string control;  // the path of the control socket; empty: default_control_path()
  bool debug = false;                           // the foreground mode for a person at a terminal
};

// $RUNTIME_DIRECTORY/control.sock, as systemd sets it; else $XDG_RUNTIME_DIR/heartbeatd/control.sock; else
// /run/heartbeatd/control.sock.
[[nodiscard]] std::string default_control_path();

// How a command line that starts no daemon ends: with text for standard output and 0 (--help, --version), or
// with one line for standard error and an exit code of sysexits.h.
struct CommandLineEnd {
  int exit_code;
  std::string text;
};

[[nodiscard]] tl::expected<Config, CommandLineEnd> parse_command_line(int argc, const char* const* argv);

}  // namespace heartbeat
