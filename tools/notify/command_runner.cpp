#include "tools/notify/command_runner.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <utility>

#include <uv.h>

#include "common/text.h"
#include "common/uv/guard.h"

namespace heartbeat::notify {
namespace {

constexpr std::size_t kOutputMax = 1024;
constexpr std::uint64_t kKillAfterMs = 5000;

}  // namespace

struct CommandRunner::Run {
  explicit Run(uv::Loop& loop) {
    uv_pipe_init(loop.get(), &in, 0);
    uv_pipe_init(loop.get(), &out, 0);
    uv_timer_init(loop.get(), &timer);
    for (uv_handle_t* const each : handles()) each->data = this;
  }

  [[nodiscard]] std::array<uv_handle_t*, 4> handles() {
    return {reinterpret_cast<uv_handle_t*>(&in), reinterpret_cast<uv_handle_t*>(&out),
            reinterpret_cast<uv_handle_t*>(&timer), reinterpret_cast<uv_handle_t*>(&process)};
  }

  // The process and what it has started.
  void signal(int number) const { ::kill(-process.pid, number); }

  void ended(std::int64_t exit_code, int by) {
    AttemptResult result{.is_delivered = exit_code == 0 && by == 0 && !is_late};
    result.text = is_late   ? "it took too long"
                  : by != 0 ? "signal " + std::to_string(by)
                            : "exit code " + std::to_string(exit_code);
    result.output = escaped(output, kOutputMax);
    if (owner != nullptr) owner->run_ = nullptr;
    close();
    if (owner != nullptr) on_end(std::move(result));
  }

  void close() {
    for (uv_handle_t* const each : handles()) {
      if (uv_is_closing(each) == 0) uv_close(each, one_closed);
    }
  }

  static void one_closed(uv_handle_t* handle) noexcept {
    auto* const run = static_cast<Run*>(handle->data);
    if (++run->closed == run->handles().size()) delete run;
  }

  CommandRunner* owner = nullptr;  // null: it has gone
  uv_process_t process{};
  uv_pipe_t in{};
  uv_pipe_t out{};
  uv_timer_t timer{};
  uv_write_t write{};
  std::string input;
  std::string output;  // the first of its standard output
  std::array<char, 4096> buffer{};
  OnAttemptEnd on_end;
  bool is_late = false;
  std::size_t closed = 0;
};

CommandRunner::CommandRunner(uv::Loop& loop) : loop_(loop) {}

CommandRunner::~CommandRunner() {
  if (run_ == nullptr) return;
  run_->owner = nullptr;
  run_->signal(SIGKILL);
}

namespace {

// Pointers to the texts, and a null pointer.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

void CommandRunner::run(const std::vector<std::string>& command, std::vector<std::string> environment,
                        std::string input, Millis timeout, OnAttemptEnd on_end) {
  auto* const run = new Run{loop_};
  run->owner = this;
  run->input = std::move(input);
  run->on_end = std::move(on_end);

  std::vector<std::string> texts = command;
  std::vector<char*> arguments = pointers_to(texts);
  environment.emplace_back("PATH=/usr/local/bin:/usr/bin:/bin");
  std::vector<char*> variables = pointers_to(environment);
  std::array<uv_stdio_container_t, 3> streams{};
  streams[0].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_READABLE_PIPE);
  streams[0].data.stream = reinterpret_cast<uv_stream_t*>(&run->in);
  streams[1].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
  streams[1].data.stream = reinterpret_cast<uv_stream_t*>(&run->out);
  streams[2].flags = UV_INHERIT_FD;  // the unit's own: what a command complains of is in the journal
  streams[2].data.fd = 2;
  uv_process_options_t options{};
  options.file = texts.front().c_str();
  options.args = arguments.data();
  options.env = variables.data();
  options.flags = UV_PROCESS_DETACHED;  // a group of its own, which a timeout ends as a whole
  options.stdio = streams.data();
  options.stdio_count = static_cast<int>(streams.size());
  options.exit_cb = [](uv_process_t* ended, std::int64_t code, int by) {
    uv::guarded([&] { static_cast<Run*>(ended->data)->ended(code, by); });
  };
  const int error = uv_spawn(loop_.get(), &run->process, &options);
  run->process.data = run;
  run_ = run;
  if (error != 0) {
    // In a later turn, as every end.
    run->output = uv_strerror(error);
    uv_timer_start(
        &run->timer,
        [](uv_timer_t* due) { uv::guarded([&] { static_cast<Run*>(due->data)->ended(127, 0); }); }, 1, 0);
    return;
  }
  const uv_buf_t bytes = uv_buf_init(run->input.data(), static_cast<unsigned>(run->input.size()));
  // Closes standard input behind the last byte.  A command that does not read is no error: its exit code
  // counts.
  uv_write(&run->write, reinterpret_cast<uv_stream_t*>(&run->in), &bytes, 1,
           [](uv_write_t* done, int) noexcept {
             auto* const in = reinterpret_cast<uv_handle_t*>(done->handle);
             if (uv_is_closing(in) == 0) uv_close(in, Run::one_closed);
           });
  const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept {
    auto& room = static_cast<Run*>(handle->data)->buffer;
    *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
  };
  const auto take = [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
    if (count < 0) {
      uv_read_stop(stream);
      return;
    }
    uv::guarded([&] {
      std::string& output = static_cast<Run*>(stream->data)->output;
      const std::size_t room = kOutputMax - std::min(kOutputMax, output.size());
      output.append(buffer->base, std::min(room, static_cast<std::size_t>(count)));
    });
  };
  uv_read_start(reinterpret_cast<uv_stream_t*>(&run->out), lend, take);
  uv_timer_start(
      &run->timer,
      [](uv_timer_t* due) {
        auto* const late = static_cast<Run*>(due->data);
        late->signal(late->is_late ? SIGKILL : SIGTERM);
        if (!std::exchange(late->is_late, true)) uv_timer_start(due, due->timer_cb, kKillAfterMs, 0);
      },
      static_cast<std::uint64_t>(timeout.count()), 0);
}

}  // namespace heartbeat::notify
