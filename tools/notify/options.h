// The command line of heartbeat-notify.
#pragma once

#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "common/command_line.h"

namespace heartbeat::notify {

struct Options {
  std::string config = "/etc/heartbeatd/notify.toml";
  std::string state = "/var/lib/heartbeat-notify";
  std::string status{};  // a file; empty: none
  std::string log_level = "info";
  std::string test{};  // the name of a hook
  bool check_config = false;
};

[[nodiscard]] tl::expected<Options, CommandLine::End> parse_options(int argc, const char* const* argv);

}  // namespace heartbeat::notify
