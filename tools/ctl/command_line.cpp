#include "tools/ctl/command_line.h"

#include <array>
#include <charconv>
#include <span>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "common/duration.h"
#include "common/help_text.h"
#include "common/nearest_word.h"
#include "common/text.h"
#include "tools/ctl/connection.h"
#include "tools/ctl/exit_code.h"

namespace heartbeat::ctl {
namespace {

constexpr const char* kAbout =
    "Asks a running heartbeatd which clients are connected, why a client was closed and what changes, and\n"
    "gives it orders, over its control socket.";
constexpr const char* kCommandFooter =
    "\nAnd the options of all commands: --control, --json, --timeout (heartbeatctl --help).";
constexpr const char* kFooter =
    "\n'heartbeatctl COMMAND --help' tells a command's own options; those above go with each.\n"
    "A GLOB has *, ? and [a-z]: put it in quotes. Instants are shown in local time.\n"
    "Exit codes: 0 yes; 1 no (no such client, nothing matches, refused); 2 bad command line;\n"
    "69 the daemon is not there; 74 cannot write; 75 the daemon is busy; 76 what answers is no\n"
    "heartbeatd; 77 not allowed.";

constexpr std::array<std::string_view, 4> kSortColumns{"silence", "margin", "connected", "name"};
constexpr std::array<std::string_view, 2> kStatuses{"alive", "leave"};
constexpr std::array<std::string_view, 7> kLevels{"trace", "debug",    "info", "warning",
                                                  "error", "critical", "off"};
constexpr std::array<std::string_view, 2> kBrakeActions{"confirm", "release"};
constexpr std::array<std::string_view, 18> kEvents{
    "connected",     "joined", "named",   "takeover", "fight",     "slow_beats",
    "fast_beats",    "strike", "leave",   "return",   "close",     "refused",
    "accept_paused", "stall",  "suspend", "brake",    "brake_end", "restarted"};

std::string in_quotes(const std::string& text) {
  return "'" + escaped(text) + "'";
}

// A check that says what would be right.
CLI::Validator one_of(std::span<const std::string_view> words) {
  const auto check = [words](const std::string& text) {
    std::string list;
    for (const std::string_view word : words) {
      if (text == word) return std::string{};
      list += list.empty() ? "" : ", ";
      list += word;
    }
    return in_quotes(text) + " is none of " + list;
  };
  return CLI::Validator{check, ""};
}

CLI::Validator is_text() {
  const auto check = [](const std::string& text) {
    if (text.empty()) return std::string{"it is empty"};
    return is_utf8(text) ? std::string{} : in_quotes(text) + " is not UTF-8";
  };
  return CLI::Validator{check, ""};
}

CLI::Validator is_duration() {
  const auto check = [](const std::string& text) {
    const auto duration = parse_duration(text);
    return duration ? std::string{} : duration.error();
  };
  return CLI::Validator{check, ""};
}

CLI::Validator fits_an_address() {
  const auto check = [](const std::string& path) {
    if (path.empty()) return std::string{"it is empty"};
    if (path.size() <= Connection::kPathMax) return std::string{};
    return "the path has " + std::to_string(path.size()) + " bytes; a socket's has at most " +
           std::to_string(Connection::kPathMax);
  };
  return CLI::Validator{check, ""};
}

void read_timeout(const std::string& text, Millis& into) {
  const auto value = parse_duration(text);
  if (!value) throw CLI::ValidationError("--timeout", value.error());
  if (*value < Millis{1} || *value > limits::kControlAnswerMax) {
    throw CLI::ValidationError(
        "--timeout", in_quotes(text) + " is not from 1ms to " + format_duration(limits::kControlAnswerMax));
  }
  into = *value;
}

void read_limit(const std::string& text, std::optional<std::uint64_t>& into) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end || value == 0) {
    throw CLI::ValidationError("--limit", in_quotes(text) + " is not a whole number from 1");
  }
  into = value;
}

// The program's commands and options, and where they are put.
class Grammar {
 public:
  Grammar() : app_(kAbout, "heartbeatctl") {
    app_.footer(kFooter);
    app_.require_subcommand(0, 1);
    app_.set_version_flag("--version", std::string{"heartbeatctl " HEARTBEAT_VERSION "\n"},
                          "Print the version and exit");
    app_.add_option("--control", options_.control,
                    "The daemon's control socket [$XDG_RUNTIME_DIR/heartbeatd/control.sock, else "
                    "/run/heartbeatd/control.sock]")
        ->type_name("PATH")
        ->check(fits_an_address());
    app_.add_flag("--json", options_.json, "Print what the daemon sends: JSON, one object a line");
    app_.add_option_function<std::string>(
            "--timeout", [this](const std::string& text) { read_timeout(text, options_.timeout); },
            "How long to wait for an answer [10s]")
        ->type_name("DURATION");
    add_questions();
    add_watching();
    add_orders();
  }

  Options parse(int argc, const char* const* argv) {
    app_.allow_extras();  // our own error names an unknown command
    try {
      app_.parse(argc, argv);
    } catch (const CLI::RequiredError&) {
      refuse_unknown();  // a name that begins with a dash is not taken for one
      throw;
    }
    refuse_unknown();
    refuse_contradictions();
    return std::move(options_);
  }

  [[nodiscard]] std::string help() const { return fitted_help(app_.help()); }

 private:
  // What was read for a command becomes the command when it is the one that was given.
  template <class Read>
  CLI::App* add_command(const char* name, const char* about, Read& read) {
    CLI::App* const command = app_.add_subcommand(name, about);
    command->fallthrough();
    command->footer(kCommandFooter);
    command->callback([this, &read] { options_.command = read; });
    return command;
  }

  void add_questions() {
    add_command("status", "How the daemon is: settings in force, totals, its own stalls", status_);

    CLI::App* const clients = add_command("clients", "The clients that are connected", clients_);
    clients->add_option("--status", clients_.status, "Only those that are alive, or in leave")
        ->type_name("alive|leave")
        ->check(one_of(kStatuses));
    clients->add_option("--match", clients_.match, "Only those with such a name")
        ->type_name("GLOB")
        ->check(is_text());
    clients
        ->add_option("--sort", clients_.sort,
                     "The most worrying first (silence, margin), the oldest (connected), or by name")
        ->type_name("silence|margin|connected|name")
        ->check(one_of(kSortColumns));
    clients
        ->add_option_function<std::string>(
            "--limit", [this](const std::string& text) { read_limit(text, clients_.limit); },
            "At most this many; with --sort no more than 10000 [all]")
        ->type_name("N");

    CLI::App* const closed =
        add_command("closed", "The clients that are gone, the one closed last first: when and why", closed_);
    closed->add_option("--since", closed_.since, "Closed at most this long ago")
        ->type_name("DURATION")
        ->check(is_duration());
    closed->add_option("--reason", closed_.reason, "Closed for this reason: silent, peer_closed, kicked …")
        ->type_name("REASON")
        ->check(is_text());
    closed->add_option("--match", closed_.match, "Only those with such a name or address")
        ->type_name("GLOB")
        ->check(is_text());
    closed
        ->add_option_function<std::string>(
            "--limit", [this](const std::string& text) { read_limit(text, closed_.limit); },
            "At most this many, and no more than 10000 [10000]")
        ->type_name("N");

    CLI::App* const why =
        add_command("why", "The story of one client, connected or among the last that were closed", why_);
    why->add_option("CLIENT", why_.client, "Its name: its id, or the address that it was seen at")
        ->type_name("")
        ->required()
        ->check(is_text());

    add_command("settings", "Each setting with its value and where that comes from", settings_);
  }

  void add_watching() {
    CLI::App* const watch = add_command("watch", "Each change as it happens, until interrupted", watch_);
    watch->add_option("--since", watch_.since, "Begin after the event that carried this cursor")
        ->type_name("CURSOR")
        ->check(is_text());
    watch->add_option("--client", watch_.match, "Only of clients with such a name")
        ->type_name("GLOB")
        ->check(is_text());
    watch->add_option("--event", watch_.events, "Only these, with commas or repeated: leave,close …")
        ->type_name("EVENT")
        ->delimiter(',')
        ->check(one_of(kEvents));
    watch->add_flag("--snapshot", watch_.snapshot, "Begin with every client as it is now");
    watch->add_flag("--once", watch_.once, "End when the daemon goes away, instead of resuming");

    CLI::App* const top = add_command("top", "A live table of clients, for a terminal (q quits)", top_);
    top->add_option("--sort", top_.sort, "As of clients [margin]")
        ->type_name("silence|margin|connected|name")
        ->check(one_of(kSortColumns));
    top->add_option("--match", top_.match, "Only those with such a name")
        ->type_name("GLOB")
        ->check(is_text());
  }

  void add_orders() {
    CLI::App* const kick = add_command("kick", "Close clients", kick_);
    kick->add_option("CLIENT", kick_.clients, "Their names")->type_name("")->required()->check(is_text());
    kick->add_option("--message", kick_.message, "Sent to the clients that asked for notices")
        ->type_name("TEXT")
        ->check(is_text());

    CLI::App* const brake =
        add_command("brake", "End the brake on mass closing while it holds (see status)", brake_);
    brake
        ->add_option("ACTION", brake_.action,
                     "confirm: they are really gone, close those that wait; release: the cause was "
                     "elsewhere, give every client in leave a new leave period")
        ->type_name("")
        ->required()
        ->check(one_of(kBrakeActions));

    CLI::App* const log_level = add_command("log-level", "Change what the daemon logs", log_level_);
    log_level->add_option("LEVEL", log_level_.level, "trace, debug, info, warning, error, critical or off")
        ->type_name("")
        ->required()
        ->check(one_of(kLevels));

    add_command("reload", "Have the configuration file read again", reload_);
    add_command("restart", "Have the installed program take the daemon's place; every client stays connected",
                restart_);
  }

  // The command that may have been meant.
  [[nodiscard]] std::string meant(const std::string& written) const {
    std::vector<std::string> names;
    for (const CLI::App* const command : app_.get_subcommands({})) names.push_back(command->get_name());
    const auto nearest = nearest_word(written, std::vector<std::string_view>{names.begin(), names.end()});
    return nearest ? ": did you mean " + std::string{*nearest} + "?" : "";
  }

  // What to write where a name begins with a dash.
  [[nodiscard]] std::string as_a_name(const std::string& written) const {
    const auto commands = app_.get_subcommands();
    if (!written.starts_with('-') || commands.empty()) return {};
    const std::string command = commands.front()->get_name();
    if (command != "why" && command != "kick") return {};
    return "; a client of that name is written behind --: heartbeatctl " + command + " -- " +
           escaped(written);
  }

  void refuse_unknown() const {
    std::string wrong;
    if (!app_.remaining().empty()) {
      const std::string first = app_.remaining().front();
      const bool command = app_.get_subcommands().empty() && !first.starts_with('-');
      wrong = in_quotes(first) +
              (command ? " is no command" + meant(first) : " is not expected" + as_a_name(first));
    } else if (app_.get_subcommands().empty()) {
      wrong = "which command?";
    }
    if (wrong.empty()) return;
    throw CLI::ParseError(wrong + " (heartbeatctl --help names them)", CLI::ExitCodes::ExtrasError);
  }

  void refuse_contradictions() const {
    if (const auto* const closed = std::get_if<ClosedCommand>(&options_.command)) {
      if (closed->limit > limits::kListMax) {
        throw CLI::ValidationError("--limit", "at most " + std::to_string(limits::kListMax) + " are listed");
      }
    }
    if (const auto* const clients = std::get_if<ClientsCommand>(&options_.command)) {
      if (!clients->sort.empty() && clients->limit > limits::kListMax) {
        throw CLI::ValidationError("--limit",
                                   "with --sort at most " + std::to_string(limits::kListMax) + " are listed");
      }
    }
    if (options_.json && std::holds_alternative<TopCommand>(options_.command)) {
      throw CLI::ValidationError("--json", "top is for a terminal; 'clients --json' is for a program");
    }
  }

  Options options_;
  StatusCommand status_;
  ClientsCommand clients_;
  ClosedCommand closed_;
  WhyCommand why_;
  WatchCommand watch_;
  TopCommand top_;
  KickCommand kick_;
  BrakeCommand brake_;
  LogLevelCommand log_level_;
  ReloadCommand reload_;
  RestartCommand restart_;
  SettingsCommand settings_;
  CLI::App app_;
};

}  // namespace

tl::expected<Options, CommandLineEnd> parse_command_line(int argc, const char* const* argv) {
  Grammar grammar;
  try {
    return grammar.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return tl::unexpected(CommandLineEnd{kYes, grammar.help()});
  } catch (const CLI::CallForVersion& version) {
    return tl::unexpected(CommandLineEnd{kYes, version.what()});
  } catch (const CLI::Error& error) {
    return tl::unexpected(CommandLineEnd{kUsage, std::string{"heartbeatctl: "} + error.what() + "\n"});
  }
}

}  // namespace heartbeat::ctl
