// Another program, run beside this one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <tl/expected.hpp>
#include <uv.h>

#include "common/uv/handle.h"
#include "common/uv/loop.h"

namespace heartbeat::uv {

class Process {
 public:
  // `exit_code` is meaningless if a signal ended the program; `signal` is 0 if none did.
  using OnEnd = std::function<void(int exit_code, int signal)>;

  // Runs the program at this path with these arguments, its name in front, in this environment.  Its
  // standard input is empty; what it writes to standard output and error goes to `output`, which may be
  // closed afterwards.  The error is libuv's.  A program that still runs when the owner lets go of it runs
  // on.
  [[nodiscard]] static tl::expected<Owned<Process>, int> start(Loop& loop, const std::string& path,
                                                               std::vector<std::string> arguments, int output,
                                                               OnEnd on_end);

  // SIGKILL.
  void kill();

  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&process_); }

 private:
  Process() = default;

  uv_process_t process_;
  OnEnd on_end_;
};

}  // namespace heartbeat::uv
