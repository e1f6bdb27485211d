#include "tools/relay/options.h"

namespace heartbeat::relay {
namespace {

constexpr const char* kAbout =
    "Publishes the clients of the heartbeatd beside it to a fleet, in Redis: what each node has, and every\n"
    "change once and in order. It judges no client, and no verdict waits for it.";

constexpr const char* kFooter =
    "Exit codes: 0 SIGINT or SIGTERM, or the configuration is right; 64 bad command line; 78 bad "
    "configuration.\n"
    "SIGHUP has the file read again.\n"
    "\n"
    "See heartbeat-relay(8) for the file.";

CommandLine::Apply into(std::string& target) {
  return [&target](const std::string& text) -> CommandLine::Applied {
    if (text.empty()) return tl::unexpected(std::string{"it is empty"});
    target = text;
    return {};
  };
}

}  // namespace

tl::expected<Options, CommandLine::End> parse_options(int argc, const char* const* argv) {
  Options options;
  CommandLine line{"heartbeat-relay", kAbout, kFooter};
  line.value("--config", "FILE", "The fleet, and where Redis is [/etc/heartbeatd/relay.toml]",
             into(options.config));
  line.value("--log-level", "LEVEL", "trace, debug, info, warning, error, critical or off [info]",
             into(options.log_level));
  line.toggle("--check-config", "Check the file, and the files that it names, and end", options.check_config);
  if (auto end = line.parse(argc, argv)) return tl::unexpected(std::move(*end));
  return options;
}

}  // namespace heartbeat::relay
