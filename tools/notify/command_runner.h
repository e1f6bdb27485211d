// Runs a hook's command: no shell, the batch on standard input, a bound on time and on what it prints.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/uv/loop.h"
#include "tools/notify/attempt.h"

namespace heartbeat::notify {

class CommandRunner {
 public:
  explicit CommandRunner(uv::Loop& loop);
  ~CommandRunner();  // kills what still runs
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;
  CommandRunner(CommandRunner&&) = delete;
  CommandRunner& operator=(CommandRunner&&) = delete;

  // Exit code 0 is a delivery.  After `timeout` the process and its group get SIGTERM, and SIGKILL 5 s later.
  // The environment is PATH and what is given, `NAME=VALUE`.  Not while it is running.
  void run(const std::vector<std::string>& command, std::vector<std::string> environment, std::string input,
           Millis timeout, OnAttemptEnd on_end);

 private:
  struct Run;
  uv::Loop& loop_;
  Run* run_ = nullptr;  // deletes itself when its handles have closed
};

}  // namespace heartbeat::notify
