#include "common/command_line.h"

#include <cstdio>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <sysexits.h>

#include "common/duration.h"
#include "common/help_text.h"
#include "common/text.h"

namespace heartbeat {

CommandLine::CommandLine(std::string program, const std::string& about, const std::string& footer)
    : program_(std::move(program)), app_(std::make_unique<CLI::App>(about, program_)) {
  app_->footer(footer);
  app_->set_version_flag("--version", program_ + " " HEARTBEAT_VERSION "\n", "Print the version and exit");
}

CommandLine::~CommandLine() = default;

void CommandLine::value(const char* flag, const char* type, const char* help, Apply apply) {
  const std::string name = flag;
  const auto read = [name, apply = std::move(apply)](const std::vector<std::string>& values) {
    for (const std::string& text : values) {
      const Applied applied = apply(text);
      if (!applied) throw CLI::ValidationError(name, applied.error());
    }
  };
  app_->add_option_function<std::vector<std::string>>(name, read, help)
      ->type_name(type)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void CommandLine::toggle(const char* flag, const char* help, bool& into) {
  app_->add_flag(flag, into, help);
}

std::optional<CommandLine::End> CommandLine::parse(int argc, const char* const* argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return End{EX_OK, fitted_help(app_->help())};
  } catch (const CLI::CallForVersion& version) {
    return End{EX_OK, version.what()};
  } catch (const CLI::Error& error) {
    // It repeats what was given, wherever a script had that from.
    const std::string what = error.what();
    return End{EX_USAGE, program_ + ": " + (is_printable(what) ? what : escaped(what))};
  }
  return {};
}

int CommandLine::finish(const End& end) {
  if (end.exit_code == EX_OK) {
    std::fputs(end.text.c_str(), stdout);
  } else {
    std::fprintf(stderr, "%s\n", end.text.c_str());
  }
  return end.exit_code;
}

tl::expected<Millis, std::string> CommandLine::read_duration(const std::string& text, Millis min,
                                                             Millis max) {
  auto read = parse_duration(text);
  if (!read) return read;
  if (*read < min || *read > max) {
    return tl::unexpected("'" + text + "' is not from " + format_duration(min) + " to " +
                          format_duration(max));
  }
  return read;
}

}  // namespace heartbeat
