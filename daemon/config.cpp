#include "daemon/config.h"

#include <charconv>
#include <cstdlib>
#include <functional>
#include <limits>
#include <string_view>

#include <CLI/CLI.hpp>
#include <sysexits.h>
#include <uv.h>

#include "common/duration.h"
#include "common/limits.h"
#include "daemon/libsystemd.h"

namespace heartbeat {
namespace {

using Applied = tl::expected<void, std::string>;

// Reads text into a setting of the config.  The error is a sentence.
using Apply = std::function<Applied(Config&, const std::string&)>;

// A setting that has a value: its flag, what it is for, and how its text is read.
struct Setting {
  const char* flag;
  const char* type;
  const char* help;
  Apply apply;
};

// A whole number from `min` to `max`, put where `member` says.
template <class Integer, class Member>
Apply number(Integer min, Integer max, Member member) {
  return [=](Config& config, const std::string& text) -> Applied {
    Integer value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || rest != end || value < min || value > max) {
      return tl::unexpected("'" + text + "' is not a whole number from " + std::to_string(min) + " to " +
                            std::to_string(max));
    }
    member(config) = value;
    return {};
  };
}

template <class Member>
Apply duration(Millis min, Millis max, Member member) {
  return [=](Config& config, const std::string& text) -> Applied {
    const auto value = parse_duration(text);
    if (!value) return tl::unexpected(value.error());
    if (*value < min || *value > max) {
      return tl::unexpected("'" + text + "' is not from " + format_duration(min) + " to " +
                            format_duration(max));
    }
    member(config) = *value;
    return {};
  };
}

Applied add_listen(Config& config, const std::string& text) {
  const auto where = parse_host_port(text);
  if (!where) return tl::unexpected(where.error());
  if (config.listen.size() == limits::kListenersMax) {
    return tl::unexpected("more than " + std::to_string(limits::kListenersMax) + " addresses");
  }
  config.listen.push_back(*where);
  return {};
}

Applied set_log_target(Config& config, const std::string& text) {
  if (text == "auto") {
    config.log_target = LogTarget::Auto;
  } else if (text == "stderr") {
    config.log_target = LogTarget::Stderr;
  } else if (text == "journal") {
    if (!libsystemd::has_journal()) {
      return tl::unexpected("'journal': this heartbeatd was built " + libsystemd::version());
    }
    config.log_target = LogTarget::Journal;
  } else {
    return tl::unexpected("'" + text + "' is not a log target (use auto, stderr or journal)");
  }
  return {};
}

// One row of the table below per setting; nothing else knows them all.
std::vector<Setting> settings() {
  const auto count = [](auto member) { return number<std::uint16_t>(1, limits::kRuleCountMax, member); };
  return {
      {"--listen", "HOST:PORT",
       "Accept clients here; repeat for more [127.0.0.1:14000]. Port 0 takes a free one", add_listen},
      {"--tick", "DURATION",
       "Cut each client's time into ticks of this length; best its heartbeat interval [10s]",
       duration(limits::kTickMin, limits::kTickMax,
                [](Config& c) -> Millis& { return c.settings.rule.tick; })},
      {"--threshold", "N", "Silent ticks that make a strike [5]",
       count([](Config& c) -> std::uint16_t& { return c.settings.rule.threshold; })},
      {"--cursor", "N", "Strikes that make a leave [3]",
       count([](Config& c) -> std::uint16_t& { return c.settings.rule.cursor; })},
      {"--recover", "N", "Heard ticks that clear the strikes, or end a leave [5]",
       count([](Config& c) -> std::uint16_t& { return c.settings.rule.recover; })},
      {"--leave-timeout", "DURATION", "Kick a client that was in leave for this long [30min]",
       duration(limits::kTickMin, limits::kLeaveTimeoutMax,
                [](Config& c) -> Millis& { return c.settings.rule.leave_timeout; })},
      {"--max-clients", "N", "Clients at once; never more than the descriptor limit allows [1000000]",
       number<std::size_t>(1, limits::kClientsMax,
                           [](Config& c) -> std::size_t& { return c.settings.clients_max; })},
      {"--backlog", "N", "Connections that may wait to be accepted [4096]",
       number<int>(1, std::numeric_limits<int>::max(), [](Config& c) -> int& { return c.backlog; })},
      {"--log-target", "TARGET",
       "auto, stderr or journal: lines or structured records; auto takes the journal under systemd [auto]",
       set_log_target},
      {"--log-rate", "N",
       "Records a second of one kind of event; more are summed up in one. 0 for no limit [100]",
       number<unsigned>(0, limits::kLogRateMax, [](Config& c) -> unsigned& { return c.log_rate; })},
  };
}

std::string version_text() {
  return std::string{"heartbeatd " HEARTBEAT_VERSION " (libuv "} + uv_version_string() + ", " +
         libsystemd::version() + ")\n";
}

constexpr const char* kAbout =
    "Knows at each moment which of its clients are alive, which have gone quiet and which are\n"
    "gone, from the heartbeats that each sends over one TCP connection; kicks the stale.\n"
    "Stays in the foreground. SIGTERM or SIGINT ends it.";
constexpr const char* kFooter =
    "\nDurations are written with a unit: 250ms, 10s, 30min, 1h.\n"
    "Exit codes: 0 ended by a signal, 64 bad command line, 69 cannot listen, 71 no resources.";

}  // namespace

std::string default_control_path() {
  const auto below = [](const char* variable, const char* path) -> std::string {
    const char* const directory = std::getenv(variable);
    return directory == nullptr || *directory == '\0' ? "" : std::string{directory} + path;
  };
  if (const std::string path = below("RUNTIME_DIRECTORY", "/control.sock"); !path.empty()) return path;
  if (const std::string path = below("XDG_RUNTIME_DIR", "/heartbeatd/control.sock"); !path.empty()) return path;
  return "/run/heartbeatd/control.sock";
}

tl::expected<Config, CommandLineEnd> parse_command_line(int argc, const char* const* argv) {
  Config config;
  CLI::App app{kAbout, "heartbeatd"};
  app.footer(kFooter);
  for (const Setting& setting : settings()) {
    const auto apply = [&config, setting](const std::vector<std::string>& values) {
      for (const std::string& value : values) {
        const Applied applied = setting.apply(config, value);
        if (!applied) throw CLI::ValidationError(setting.flag, applied.error());
      }
    };
    app.add_option_function<std::vector<std::string>>(setting.flag, apply, setting.help)
        ->type_name(setting.type)
        ->expected(1)
        ->multi_option_policy(setting.flag == std::string_view{"--listen"}
                                  ? CLI::MultiOptionPolicy::TakeAll
                                  : CLI::MultiOptionPolicy::TakeLast);
  }
  app.add_option("--log-level", config.log_level,
                 "trace, debug, info, warning, error, critical or off [info]")
      ->type_name("LEVEL");
  app.add_option("--control", config.control, "Where heartbeatctl finds this daemon")->type_name("PATH");
  app.add_flag("--debug", config.debug,
               "For a person at a terminal: colour, each heartbeat, the list of clients");
  app.set_version_flag("--version", version_text(), "Print the version and exit");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return tl::unexpected(CommandLineEnd{EX_OK, app.help()});
  } catch (const CLI::CallForVersion&) {
    return tl::unexpected(CommandLineEnd{EX_OK, version_text()});
  } catch (const CLI::Error& error) {
    return tl::unexpected(CommandLineEnd{EX_USAGE, std::string{"heartbeatd: "} + error.what()});
  }

  if (config.listen.empty()) config.listen.push_back({"127.0.0.1", 14000});
  if (config.debug && app.count("--log-level") == 0) config.log_level = "debug";
  const Rule& rule = config.settings.rule;
  if (rule.leave_timeout < rule.tick) {
    return tl::unexpected(
        CommandLineEnd{EX_USAGE, "heartbeatd: --leave-timeout: " + format_duration(rule.leave_timeout) +
                                     " is shorter than one tick of " + format_duration(rule.tick)});
  }
  return config;
}

}  // namespace heartbeat
