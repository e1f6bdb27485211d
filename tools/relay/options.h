// The command line of heartbeat-relay.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "common/command_line.h"

namespace heartbeat::relay {

struct Options {
  std::string config = "/etc/heartbeatd/relay.toml";
  std::string log_level = "info";
  bool check_config = false;
};

[[nodiscard]] tl::expected<Options, CommandLine::End> parse_options(int argc, const char* const* argv);

}  // namespace heartbeat::relay
