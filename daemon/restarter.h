// A restart in the same process, as an operator asks for it: first the new program is asked whether it can go
// on from here, and then it takes the place of this one.
//
// The question is put to the program at this daemon's own path, with this daemon's command line, so it also
// shows that the program starts and that its configuration has no mistake.  Clients are served meanwhile.
// Until the program has agreed nothing has changed.
#pragma once

#include <functional>
#include <string>

#include "common/descriptor.h"
#include "common/mono_time.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "common/uv/process.h"
#include "common/uv/watchers.h"
#include "daemon/report/operator_desk.h"
#include "daemon/restart/exec.h"

namespace heartbeat {

class Restarter {
 public:
  // Longer than a program needs to start on a machine that is busy.
  static constexpr Millis kAnswerMax{10'000};

  // `on_refused` is called when a restart that was under way has failed.
  Restarter(uv::Loop& loop, Invocation program, std::function<void()> on_refused);

  // Asks the program, unless it is being asked.  If it agrees, the loop stops, and is_due().
  void begin();

  [[nodiscard]] const RestartAttempt& attempt() const { return attempt_; }
  [[nodiscard]] bool is_due() const { return is_due_; }
  [[nodiscard]] const Invocation& program() const { return program_; }

  // There is no restart: logs and keeps the reason, which is a sentence without its end.
  void refuse(const std::string& why);

 private:
  void ask();
  void answered(int exit_code, int signal);
  [[nodiscard]] std::string refusal(int exit_code, int signal, int output) const;

  uv::Loop& loop_;
  Invocation program_;
  std::function<void()> on_refused_;
  RestartAttempt attempt_;
  bool is_due_ = false;
  bool is_late_ = false;  // the program was killed for want of an answer
  Descriptor output_{-1};
  uv::Owned<uv::Process> process_;  // while it is being asked
  uv::Owned<uv::Timer> timeout_;
};

}  // namespace heartbeat
