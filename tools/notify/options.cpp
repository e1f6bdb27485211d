#include "tools/notify/options.h"

#include <cstdlib>

namespace heartbeat::notify {
namespace {

constexpr const char* kAbout =
    "Delivers the events of heartbeatd to webhooks, Alertmanagers and commands: each once at least, in "
    "order,\n"
    "from the event journal, behind a place of its own that is kept on disk.";

constexpr const char* kFooter =
    "Exit codes: 0 SIGINT or SIGTERM, the configuration is right, the test was delivered; 1 the test was "
    "not\n"
    "delivered; 64 bad command line; 73 the state directory cannot be used; 78 bad configuration.\n"
    "\n"
    "See heartbeat-notify(8) for the file.";

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
  if (const char* const directory = std::getenv("STATE_DIRECTORY");
      directory != nullptr && *directory != '\0') {
    options.state = directory;
  }
  if (const char* const directory = std::getenv("RUNTIME_DIRECTORY");
      directory != nullptr && *directory != '\0') {
    options.status = std::string{directory} + "/status.json";
  }
  CommandLine line{"heartbeat-notify", kAbout, kFooter};
  line.value("--config", "FILE", "The hooks [/etc/heartbeatd/notify.toml]", into(options.config));
  line.value("--state", "DIRECTORY",
             "Where each hook keeps its place [$STATE_DIRECTORY, /var/lib/heartbeat-notify]",
             into(options.state));
  line.value("--status", "FILE",
             "Where heartbeatctl hooks reads how the hooks are doing [$RUNTIME_DIRECTORY/status.json]",
             into(options.status));
  line.value("--log-level", "LEVEL", "trace, debug, info, warning, error, critical or off [info]",
             into(options.log_level));
  line.value("--test", "HOOK", "Send this hook one event that is marked as a test, print the answer, and end",
             into(options.test));
  line.toggle("--check-config", "Check the file and the credentials, and end", options.check_config);
  if (auto end = line.parse(argc, argv)) return tl::unexpected(std::move(*end));
  return options;
}

}  // namespace heartbeat::notify
