#include "common/uv/pipe_listener.h"

#include <utility>

#include <unistd.h>

namespace heartbeat::uv {

tl::expected<Owned<PipeListener>, int> PipeListener::adopt(Loop& loop, int descriptor, int backlog,
                                                           Callback on_connection) {
  Owned<PipeListener> listener{new PipeListener};
  uv_pipe_init(loop.get(), &listener->pipe_, 0);
  listener->pipe_.data = listener.get();
  listener->on_connection_ = std::move(on_connection);

  if (const int error = uv_pipe_open(&listener->pipe_, descriptor); error != 0) {
    close(descriptor);
    return tl::unexpected(error);
  }
  const auto on_waiting = [](uv_stream_t* stream, int error) {
    if (error == 0) static_cast<PipeListener*>(stream->data)->on_connection_(stream);
  };
  auto* const stream = reinterpret_cast<uv_stream_t*>(&listener->pipe_);
  if (const int error = uv_listen(stream, backlog, on_waiting); error != 0) return tl::unexpected(error);
  return listener;
}

uv_os_fd_t PipeListener::descriptor() {
  uv_os_fd_t descriptor = -1;
  uv_fileno(handle(), &descriptor);
  return descriptor;
}

}  // namespace heartbeat::uv
