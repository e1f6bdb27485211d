// The control socket's listener.
#pragma once

#include <functional>
#include <string>

#include <tl/expected.hpp>
#include <uv.h>

#include "common/uv/handle.h"
#include "common/uv/loop.h"
#include "daemon/control/socket_file.h"

namespace heartbeat {

class ControlListener {
 public:
  // Called for each connection that waits to be accepted from `stream`.
  using Callback = std::function<void(uv_stream_t* stream)>;

  // The error is a sentence that names the path.
  [[nodiscard]] static tl::expected<uv::Owned<ControlListener>, std::string> create(uv::Loop& loop,
                                                                                    const std::string& path,
                                                                                    Callback on_connection);

  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&pipe_); }

 private:
  ControlListener(SocketFile file, Callback on_connection)
      : file_(std::move(file)), on_connection_(std::move(on_connection)) {}

  uv_pipe_t pipe_;
  SocketFile file_;
  Callback on_connection_;
};

}  // namespace heartbeat
