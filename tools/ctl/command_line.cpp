#include "tools/ctl/command_line.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/duration.h"
#include "common/help_text.h"
#include "common/nearest_word.h"
#include "tools/ctl/connection.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/quoted.h"

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

// The program's options, and the commands of the table.
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
    app_.add_flag("--completion", wants_completion_, "For the shell: what each command can be given")
        ->group("");
    for (const CommandRow& row : all_commands()) add_command(row);
  }

  CommandLine parse(int argc, const char* const* argv) {
    app_.allow_extras();  // our own error names an unknown command
    try {
      app_.parse(argc, argv);
    } catch (const CLI::RequiredError&) {
      refuse_unknown();  // a name that begins with a dash is not taken for one
      throw;
    }
    if (wants_completion_) throw CLI::CallForVersion{completion(), 0};
    refuse_unknown();
    std::unique_ptr<Command> given = std::move(given_command()->command);
    const std::string contradiction = given->contradiction(options_);
    if (!contradiction.empty()) throw CLI::ParseError(contradiction, CLI::ExitCodes::ValidationError);
    return {options_, std::move(given)};
  }

  [[nodiscard]] std::string help() const { return fitted_help(app_.help()); }

 private:
  struct Known {
    CLI::App& grammar;
    std::unique_ptr<Command> command;
    Parameters parameters;
  };

  void add_command(const CommandRow& row) {
    CLI::App& grammar = *app_.add_subcommand(row.name, row.about);
    grammar.fallthrough();
    grammar.footer(kCommandFooter);
    Known& known = commands_.emplace_back(Known{grammar, row.make(), Parameters{grammar}});
    known.command->declare(known.parameters);
  }

  // Null where none was given.
  Known* given_command() {
    const auto given = std::find_if(commands_.begin(), commands_.end(),
                                    [](const Known& known) { return known.grammar.parsed(); });
    return given == commands_.end() ? nullptr : &*given;
  }

  // A line for each command: its name, then as Parameters::completion() says.
  [[nodiscard]] std::string completion() const {
    std::string lines;
    for (const Known& known : commands_) {
      lines += known.grammar.get_name() + ' ' + known.parameters.completion() + '\n';
    }
    return lines;
  }

  // The command that may have been meant.
  [[nodiscard]] static std::string meant(const std::string& written) {
    std::vector<std::string_view> names;
    for (const CommandRow& row : all_commands()) names.emplace_back(row.name);
    const auto nearest = nearest_word(written, names);
    return nearest ? ": did you mean " + std::string{*nearest} + "?" : "";
  }

  // What to write where a name begins with a dash.
  static std::string as_a_name(const std::string& written, const Known& given) {
    if (!written.starts_with('-') || !given.parameters.take_clients()) return {};
    return "; a client of that name is written behind --: heartbeatctl " + given.grammar.get_name() + " -- " +
           escaped(written);
  }

  void refuse_unknown() {
    const Known* const given = given_command();
    std::string wrong;
    if (!app_.remaining().empty()) {
      const std::string first = app_.remaining().front();
      wrong = in_quotes(first);
      if (given != nullptr) {
        wrong += " is not expected" + as_a_name(first, *given);
      } else {
        wrong += first.starts_with('-') ? " is not expected" : " is no command" + meant(first);
      }
    } else if (given == nullptr) {
      wrong = "which command?";
    }
    if (wrong.empty()) return;
    throw CLI::ParseError(wrong + " (heartbeatctl --help names them)", CLI::ExitCodes::ExtrasError);
  }

  Options options_;
  bool wants_completion_ = false;
  CLI::App app_;
  std::vector<Known> commands_;
};

}  // namespace

tl::expected<CommandLine, CommandLineEnd> parse_command_line(int argc, const char* const* argv) {
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
