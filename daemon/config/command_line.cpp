#include "daemon/config/command_line.h"

#include <algorithm>
#include <string_view>

#include <CLI/CLI.hpp>
#include <sysexits.h>
#include <uv.h>

#include "common/help_text.h"
#include "common/text.h"
#include "common/tls/openssl.h"
#include "daemon/config/config_file.h"
#include "daemon/config/has_http.h"
#include "daemon/systemd/libsystemd.h"

namespace heartbeat {
namespace {

std::string version_text() {
  return std::string{"heartbeatd " HEARTBEAT_VERSION " (libuv "} + uv_version_string() + ", " +
         libsystemd::version() + ", " + tls::version() + (has_http() ? "" : ", without HTTP") + ")\n";
}

constexpr const char* kAbout =
    "Knows at each moment which of its clients are alive, which have gone quiet and which are\n"
    "gone, from the heartbeats that each sends over one TCP connection; kicks the stale.\n"
    "Stays in the foreground. SIGHUP reads the configuration again; SIGUSR2 restarts it\n"
    "with every client connected; SIGTERM or SIGINT ends it.";
constexpr const char* kFooter =
    "\nEach setting is its default, unless the configuration file gives it, unless a flag gives it.\n"
    "Durations are written with a unit: 250ms, 10s, 30min, 1h.\n"
    "Exit codes: 0 ended by a signal, 64 bad command line, 69 cannot listen, 71 no resources,\n"
    "78 bad configuration file.";

const char* type_name(const Setting& setting) {
  switch (setting.type) {
    case Setting::Type::Count: return "N";
    case Setting::Type::Duration: return "DURATION";
    case Setting::Type::Choice: return "WORD";
    case Setting::Type::Path: return "PATH";
    case Setting::Type::Address:
    case Setting::Type::Addresses: return "HOST:PORT";
    case Setting::Type::Listeners: return "LISTENER";
    case Setting::Type::Groups: return "GROUP";
    case Setting::Type::Networks: break;
  }
  return "NETWORK";
}

std::string help_of(const Setting& setting) {
  const std::string usual = plain_text(setting, default_of(setting));
  return std::string{setting.meaning} + "; " + range_of(setting) +
         (is_list(setting) ? ", the flag repeated" : "") + (usual.empty() ? "" : " [" + usual + "]");
}

// Reads what a flag was given; where nothing is wrong with it, it is added to `flags`.
void read_flag(std::size_t row, const std::vector<std::string>& texts, std::vector<Given>& flags,
               std::vector<Mistake>& mistakes) {
  const Setting& setting = all_settings()[row];
  const Origin origin{Origin::Kind::Flag, "flag " + flag_of(setting)};
  const auto value = parse_value(setting, texts);
  const std::vector<Fault> faults =
      value ? faults_of(setting, *value) : std::vector<Fault>{{0, value.error()}};
  for (const Fault& fault : faults) mistakes.push_back({origin, std::string{setting.key}, fault.what});
  if (faults.empty()) flags.push_back({row, *value, origin});
}

// The error of an unknown flag, with the flag that may have been meant.
std::string unknown_flag(const std::string& argument) {
  std::string line = "heartbeatd: " + escaped(argument) + ": there is no such flag";
  std::string key = argument.substr(0, argument.find('='));
  key.erase(0, key.find_first_not_of('-'));
  std::replace(key.begin(), key.end(), '-', '_');
  if (const auto meant = nearest_key(key)) {
    line += " (did you mean " + flag_of(all_settings()[*find_setting(*meant)]) + "?)";
  }
  return line;
}

// What stands beside an unknown flag is its value; only where there is no such flag it is a mistake itself.
std::vector<std::string> unknown(const std::vector<std::string>& arguments) {
  std::vector<std::string> lines;
  for (const std::string& argument : arguments) {
    if (argument.starts_with('-')) lines.push_back(unknown_flag(argument));
  }
  if (lines.empty()) lines.push_back("heartbeatd: " + escaped(arguments.front()) + ": flags begin with --");
  return lines;
}

std::string in_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace

tl::expected<CommandLine, End> parse_command_line(int argc, const char* const* argv) {
  CommandLine command_line;
  CLI::App app{kAbout, "heartbeatd"};
  app.footer(kFooter);
  app.add_option("--config", command_line.config_file,
                 std::string{"Read settings from this file, if it is not "} + kDefaultConfigFile)
      ->type_name("FILE");
  std::vector<std::vector<std::string>> texts(all_settings().size());
  for (std::size_t row = 0; row < texts.size(); ++row) {
    const Setting& setting = all_settings()[row];
    app.add_option(flag_of(setting), texts[row], help_of(setting))
        ->type_name(type_name(setting))
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  app.add_flag("--debug", command_line.debug,
               "For a person at a terminal: colour, each heartbeat, the list of clients");
  const auto task = [&](CommandLine::Task asked) { return [&, asked] { command_line.task = asked; }; };
  auto* const check = app.add_flag_callback("--check-config", task(CommandLine::Task::CheckConfig),
                                            "Say what is wrong with the configuration, or that it is right");
  app.add_flag_callback("--print-config", task(CommandLine::Task::PrintConfig),
                        "Print the settings as a configuration file, with where each comes from")
      ->excludes(check);
  app.add_option_function<unsigned>(
         "--can-restore",
         [&](unsigned format) {
           command_line.task = CommandLine::Task::CanRestore;
           command_line.restores = format;
         },
         "Say whether this program could take the place of a running daemon that leaves its state in format "
         "N, "
         "with this configuration; heartbeatctl restart asks it")
      ->type_name("N")
      ->excludes(check);
  app.set_version_flag("--version", version_text(), "Print the version and exit");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return tl::unexpected(End{EX_OK, fitted_help(app.help())});
  } catch (const CLI::CallForVersion&) {
    return tl::unexpected(End{EX_OK, version_text()});
  } catch (const CLI::ExtrasError&) {
    return tl::unexpected(End{EX_USAGE, in_lines(unknown(app.remaining()))});
  } catch (const CLI::Error& error) {
    return tl::unexpected(End{EX_USAGE, std::string{"heartbeatd: "} + error.what()});
  }

  if (app.count("--config") > 0 && command_line.config_file.empty()) {
    return tl::unexpected(End{EX_USAGE, "heartbeatd: --config: the name of the file is empty"});
  }
  std::vector<Mistake> mistakes;
  for (std::size_t row = 0; row < texts.size(); ++row) {
    if (!texts[row].empty()) read_flag(row, texts[row], command_line.flags, mistakes);
  }
  if (!mistakes.empty()) return tl::unexpected(End{EX_USAGE, in_lines(lines_of(mistakes))});

  const std::size_t log_level = *find_setting("log_level");
  if (command_line.debug && texts[log_level].empty()) {
    command_line.flags.push_back({log_level, "debug", {Origin::Kind::Flag, "flag --debug"}});
  }
  return command_line;
}

}  // namespace heartbeat
