// Another program in the place of this one, in the same process: its id, its parent and the descriptors that
// are kept stay as they are.
#pragma once

#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/descriptor.h"

namespace heartbeat {

// The program and its arguments, as they are run again.
struct Invocation {
  // The absolute path.  It names the program that is installed there now: /proc/self/exe would go on to name
  // the old one after an upgrade.  Empty if it cannot be found.
  std::string path;
  std::vector<std::string> arguments;  // with the program's name in front
};

// How this process was called.
[[nodiscard]] Invocation invocation(int argc, const char* const* argv);

// Blocks every signal, across an exec, too.  An exec gives each signal its default action, so a SIGHUP that
// came in the gap would kill the process.  A signal that comes while it is blocked is delivered when it no
// longer is.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();  // as they were before
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  SignalsBlocked(SignalsBlocked&&) = delete;
  SignalsBlocked& operator=(SignalsBlocked&&) = delete;

 private:
  sigset_t before_{};
};

// In a process that was started by replace_process(), once it handles its signals.
void unblock_signals();

// Runs the program in the place of this one.  `state` and the `kept` descriptors stay open in it.  Returns
// only if that failed, with an error of errno; everything is as it was then.
[[nodiscard]] int replace_process(const Invocation& program, int state, std::span<const int> kept);

// In a process that was started by replace_process(): the descriptor of `state`.  Nothing in any other, and
// nothing the second time.
[[nodiscard]] std::optional<Descriptor> take_state_descriptor();

}  // namespace heartbeat
