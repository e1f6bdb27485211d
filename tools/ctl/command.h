// A command of heartbeatctl: what it can be given, and what it does.
//
// Each has a file in tools/ctl/commands/.  The table of all is in commands/all.cpp; the check of the command
// line, --help and the shell's completion walk it.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "tools/ctl/options.h"
#include "tools/ctl/output.h"
#include "tools/ctl/session.h"

namespace heartbeat::ctl {

class Parameters;

class Command {
 public:
  Command() = default;
  virtual ~Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  Command(Command&&) = delete;
  Command& operator=(Command&&) = delete;

  // Declares what it can be given.  The values are read into members of the command before it runs.
  virtual void declare(Parameters& /*parameters*/) {}

  // Why values that are each right cannot be given together: `--limit: ...`.  Empty where they can.
  [[nodiscard]] virtual std::string contradiction(const Options& /*options*/) const { return {}; }

  // Asks the daemon and shows the answer.
  virtual Outcome run(Session& session, const Output& output) = 0;
};

struct CommandRow {
  const char* name;
  const char* about;  // a line of --help
  std::unique_ptr<Command> (*make)();
};

// In the order in which --help names them.
[[nodiscard]] std::span<const CommandRow> all_commands();

}  // namespace heartbeat::ctl
