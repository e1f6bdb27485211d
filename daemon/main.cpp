// heartbeatd: parse, load, run.
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

#include <sysexits.h>

#include "common/descriptors.h"
#include "common/log.h"
#include "daemon/config/command_line.h"
#include "daemon/config/load.h"
#include "daemon/daemon.h"
#include "daemon/log/journal.h"
#include "daemon/predecessor.h"
#include "daemon/restart/exec.h"
#include "daemon/restart/handover.h"

namespace heartbeat {
namespace {

int end_as(const End& end) {
  if (end.exit_code == EX_OK) std::fputs(end.text.c_str(), stdout);
  if (end.exit_code != EX_OK) write_refusal(end.text);
  return end.exit_code;
}

int refuse(const LoadErrors& errors) {
  for (const std::string& line : errors.lines) write_refusal(line);
  return errors.exit_code;
}

// Whether this program goes on from a state in that format; its configuration has no mistake.
int can_restore(unsigned format) {
  if (format >= 1 && format <= Handover::kFormat) return EX_OK;
  return end_as({EX_UNAVAILABLE, "heartbeatd: this version (" HEARTBEAT_VERSION
                                 ") cannot read a state in format " +
                                     std::to_string(format) + "\n"});
}

// What --check-config and --print-config print of a configuration without mistakes.
int print(const CommandLine& command_line, const LoadedConfig& loaded) {
  std::string text = loaded.file + ": ok\n";
  if (loaded.file.empty()) {
    text = std::string{"there is no "} + kDefaultConfigFile + ": defaults and flags are ok\n";
  }
  if (command_line.task == CommandLine::Task::PrintConfig) text = print_config(loaded);
  std::fputs(text.c_str(), stdout);
  return EX_OK;
}

tl::expected<void, std::string> open_log(const CommandLine& command_line, const Config& config) {
  auto log = set_up_log(command_line.debug ? LogStyle::Terminal : LogStyle::Plain, config.log_level);
  if (log && log_goes_to_journal(config.log_target)) send_log_to_journal();
  return log;
}

int main_of(int argc, char** argv) {
  // Before anything is opened.
  auto predecessor = predecessor_before_exec();
  if (!predecessor) {
    // Until the loop runs: a reload asked for so early gets the file that is about to be read, and there is
    // nothing to restart.  After an exec these signals are blocked until then.
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGUSR2, SIG_IGN);
  }

  const auto command_line = parse_command_line(argc, argv);
  if (!command_line) return end_as(command_line.error());
  auto loaded = load_config(*command_line);
  if (!loaded) return refuse(loaded.error());
  if (command_line->task == CommandLine::Task::CanRestore) return can_restore(command_line->restores);
  if (command_line->task != CommandLine::Task::Run) return print(*command_line, *loaded);
  if (const auto log = open_log(*command_line, loaded->config); !log) {
    return refuse({EX_USAGE, {"heartbeatd: --log-level: " + log.error()}});
  }
  return run_daemon(*command_line, std::move(*loaded), invocation(argc, argv), std::move(predecessor));
}

}  // namespace
}  // namespace heartbeat

int main(int argc, char** argv) {
  heartbeat::open_standard_descriptors();
  return heartbeat::main_of(argc, argv);
}
