// One listening socket.
#pragma once

#include <functional>
#include <string>

#include <tl/expected.hpp>
#include <uv.h>

#include "common/endpoint.h"
#include "common/uv/handle.h"
#include "common/uv/loop.h"

namespace heartbeat {

class Listener {
 public:
  // Called for each connection that waits to be accepted from `stream`, or with a negative libuv error.
  using Callback = std::function<void(uv_stream_t* stream, int error)>;

  // Listens at the endpoint; port 0 takes a free one.  An IPv6 endpoint takes IPv6 connections only, so that
  // 0.0.0.0 and [::] can be listened on side by side.  `shares_port`: with a listener that is told so
  // too.  The error names the address.
  [[nodiscard]] static tl::expected<uv::Owned<Listener>, std::string> create(uv::Loop& loop,
                                                                             const Endpoint& at, int backlog,
                                                                             bool shares_port,
                                                                             Callback on_connection);

  // Goes on with a TCP socket that listens already, and owns the descriptor from here on, also when there is
  // an error.
  [[nodiscard]] static tl::expected<uv::Owned<Listener>, std::string> adopt(uv::Loop& loop, int descriptor,
                                                                            int backlog,
                                                                            Callback on_connection);

  // The one whose stream a callback was given.
  [[nodiscard]] static const Listener& of(const uv_stream_t* stream) {
    return *static_cast<const Listener*>(stream->data);
  }

  // With the real port.
  [[nodiscard]] const Endpoint& local() const { return local_; }
  // Whether it is what create() would be asked for at that endpoint.
  [[nodiscard]] bool is_for(const Endpoint& at) const { return at == asked_ || at == local_; }
  void set_backlog(int backlog);

  // Whether one that overlaps with it may be opened on its port: 0.0.0.0 beside 127.0.0.1.  Not to be left
  // on, or another program of the same user could listen here as well.
  void share_port(bool on);

  [[nodiscard]] uv_os_fd_t descriptor();
  // A connection that waits on it was left there (libuv takes no more until that one is accepted), or is
  // accepted now.
  void waits(bool waits) { waits_ = waits; }
  [[nodiscard]] bool has_waiting() const { return waits_; }

  [[nodiscard]] uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }
  [[nodiscard]] static Listener& of(uv_stream_t* stream) { return *static_cast<Listener*>(stream->data); }
  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&tcp_); }

 private:
  Listener(uv::Loop& loop, Callback on_connection);

  // Each returns 0 or a negative libuv error.
  int start(int backlog);
  int open_sharing(int family);

  uv_tcp_t tcp_;
  Endpoint asked_;  // its port may be 0
  Endpoint local_;
  Callback on_connection_;
  bool waits_ = false;
};

}  // namespace heartbeat
