// A listening Unix socket.
#pragma once

#include <functional>

#include <tl/expected.hpp>
#include <uv.h>

#include "common/uv/handle.h"
#include "common/uv/loop.h"

namespace heartbeat::uv {

class PipeListener {
 public:
  // Called for each connection that waits to be accepted from `stream`.
  using Callback = std::function<void(uv_stream_t* stream)>;

  // Listens on a socket that is bound already, which belongs to the listener from here on.  Its name stays
  // whose it was: one that libuv itself had bound it would remove in the end, whosever it is by then.  The
  // error is libuv's.
  [[nodiscard]] static tl::expected<Owned<PipeListener>, int> adopt(Loop& loop, int descriptor, int backlog,
                                                                    Callback on_connection);

  [[nodiscard]] uv_os_fd_t descriptor();
  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&pipe_); }

 private:
  PipeListener() = default;

  uv_pipe_t pipe_;
  Callback on_connection_;
};

}  // namespace heartbeat::uv
