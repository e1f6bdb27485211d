#include "daemon/control/control_listener.h"

#include <utility>

#include "common/limits.h"

namespace heartbeat {

tl::expected<uv::Owned<ControlListener>, std::string> ControlListener::create(uv::Loop& loop,
                                                                              const std::string& path,
                                                                              Callback on_connection) {
  auto file = SocketFile::claim(path);
  if (!file) return tl::unexpected(file.error());
  // Bound by ourselves: a name that libuv bound it removes at the end, whosever it is by then.
  const int descriptor = file->take_descriptor();

  uv::Owned<ControlListener> listener{new ControlListener{std::move(*file), std::move(on_connection)}};
  uv_pipe_init(loop.get(), &listener->pipe_, 0);
  listener->pipe_.data = listener.get();
  const auto on_waiting = [](uv_stream_t* stream, int error) {
    if (error == 0) static_cast<ControlListener*>(stream->data)->on_connection_(stream);
  };
  auto* const stream = reinterpret_cast<uv_stream_t*>(&listener->pipe_);
  int error = uv_pipe_open(&listener->pipe_, descriptor);
  if (error == 0) error = uv_listen(stream, limits::kControlBacklog, on_waiting);
  if (error != 0) return tl::unexpected("control socket " + path + ": " + uv_strerror(error));
  return listener;
}

}  // namespace heartbeat
