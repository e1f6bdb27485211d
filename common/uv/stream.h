// One TCP connection on the loop: reads into the loop's shared buffer, writes with a bound.
//
// A derived class says what bytes and the end mean.  Nothing is allocated per connection beyond the object
// itself, except for bytes that the kernel would not take at once.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <uv.h>

#include "common/endpoint.h"
#include "common/uv/loop.h"

namespace heartbeat::uv {

class TcpStream {
 public:
  virtual ~TcpStream() = default;  // by way of Owned only, see handle.h
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;
  TcpStream(TcpStream&&) = delete;
  TcpStream& operator=(TcpStream&&) = delete;

  // Each returns 0 or a negative libuv error.
  [[nodiscard]] int accept(uv_stream_t* listener);
  [[nodiscard]] int bind(const Endpoint& source);
  [[nodiscard]] int connect(const Endpoint& server);  // ends in on_connected()
  [[nodiscard]] int start_reading();

  // Writes what the kernel takes now and queues the rest.  UV_ENOBUFS, and nothing more is queued, when more
  // than limits::kWriteQueueMax bytes would wait; any other error is that of a connection that is ending,
  // which on_end() reports.
  int write(std::string_view bytes);

  // Whether some of what was written still waits for the kernel to take it.
  [[nodiscard]] bool has_unsent() const;

  // Sends the end of the stream after all that was written.  What still arrives is read and thrown away until
  // the peer closes, which on_end() reports: closing with bytes unread would make the kernel reset the
  // connection, and the peer might lose what was written last.
  void finish();

  [[nodiscard]] std::optional<Endpoint> peer() const;
  [[nodiscard]] std::optional<Endpoint> local() const;
  void send_at_once();    // TCP_NODELAY: small answers do not wait for one another
  void reset_on_close();  // SO_LINGER 0: the end is a reset, and leaves no TIME_WAIT

  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&tcp_); }

 protected:
  explicit TcpStream(Loop& loop);

  virtual void on_connected(int error) { static_cast<void>(error); }
  // The bytes are gone when this returns.
  virtual void on_bytes(std::string_view bytes) = 0;
  // UV_EOF when the peer closed, else what broke.  Nothing more is read; the owner lets go of the object.
  virtual void on_end(int error) = 0;

 private:
  uv_tcp_t tcp_;
};

}  // namespace heartbeat::uv
