#include "common/uv/process.h"

#include <array>
#include <csignal>
#include <cstdint>
#include <utility>

#include "common/uv/guard.h"

namespace heartbeat::uv {

tl::expected<Owned<Process>, int> Process::start(Loop& loop, const std::string& path,
                                                 std::vector<std::string> arguments, int output,
                                                 OnEnd on_end) {
  Owned<Process> process{new Process};
  process->on_end_ = std::move(on_end);

  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::array<uv_stdio_container_t, 3> streams{};
  streams[0].flags = UV_IGNORE;
  streams[1].flags = streams[2].flags = UV_INHERIT_FD;
  streams[1].data.fd = streams[2].data.fd = output;
  uv_process_options_t options{};
  options.file = path.c_str();
  options.args = argv.data();
  options.stdio = streams.data();
  options.stdio_count = static_cast<int>(streams.size());
  options.exit_cb = [](uv_process_t* ended, std::int64_t exit_code, int signal) {
    guarded([&] { static_cast<Process*>(ended->data)->on_end_(static_cast<int>(exit_code), signal); });
  };
  const int error = uv_spawn(loop.get(), &process->process_, &options);
  process->process_.data = process.get();
  if (error != 0) return tl::unexpected(error);
  return process;
}

void Process::kill() {
  uv_process_kill(&process_, SIGKILL);
}

}  // namespace heartbeat::uv
