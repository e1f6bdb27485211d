// heartbeatctl: parse, run the command, exit code.
#include <csignal>
#include <cstdio>
#include <exception>

#include "common/descriptors.h"
#include "tools/ctl/command_line.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl {
namespace {

int main_of(int argc, char** argv) {
  // A reader that has seen enough (`| head`) ends this program, also where the parent ignored the signal.
  std::signal(SIGPIPE, SIG_DFL);
  use_utf8();

  const auto command_line = parse_command_line(argc, argv);
  if (!command_line) {
    const CommandLineEnd& end = command_line.error();
    std::fputs(end.text.c_str(), end.exit_code == kYes ? stdout : stderr);
    return end.exit_code;
  }
  const Output output{command_line->options.json};
  Session session{command_line->options, output};
  const Outcome outcome = command_line->command->run(session, output);

  int exit_code = kYes;
  if (!outcome) {
    exit_code = outcome.error().exit_code;
    for (const std::string& line : outcome.error().lines) {
      std::fprintf(stderr, "heartbeatctl: %s\n", line.c_str());
    }
  }
  if (!Output::good()) {
    std::fputs("heartbeatctl: cannot write to standard output\n", stderr);
    exit_code = kCannotWrite;
  }
  return exit_code;
}

}  // namespace
}  // namespace heartbeat::ctl

int main(int argc, char** argv) {
  heartbeat::open_standard_descriptors();
  try {
    return heartbeat::ctl::main_of(argc, argv);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "heartbeatctl: %s\n", exception.what());
    return heartbeat::ctl::kInternal;
  }
}
