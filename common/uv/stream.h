// One connection on the loop, over TCP or a Unix socket: reads into the loop's shared buffer, writes with a
// bound.
//
// A derived class says what bytes and the end mean.  Nothing is allocated per connection beyond the object
// itself, except for bytes that the kernel would not take at once.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <uv.h>

#include "common/descriptor.h"
#include "common/endpoint.h"
#include "common/limits.h"
#include "common/os/socket.h"
#include "common/tcp_path.h"
#include "common/uv/loop.h"

namespace heartbeat::uv {

// What the two kinds have in common.
class Stream {
 public:
  virtual ~Stream() = default;  // by way of Owned only, see handle.h
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  Stream(Stream&&) = delete;
  Stream& operator=(Stream&&) = delete;

  // Returns 0 or a negative libuv error.
  [[nodiscard]] int start_reading();
  void pause_reading();

  // Writes what the kernel takes now and queues the rest; on_written() is called when the queue is empty.
  // UV_ENOBUFS, and nothing more is queued, when more than `queue_max` bytes would wait; UV_ENOMEM where
  // there is no memory for them; any other error is that of a connection that is ending, which on_end()
  // reports.
  int write(std::string_view bytes, std::size_t queue_max = limits::kWriteQueueMax);

  // Whether some of what was written still waits for the kernel to take it; and these bytes.
  [[nodiscard]] bool has_unsent() const;
  [[nodiscard]] std::string unsent() const;

  // Of the socket, which stays the stream's; negative if it has none.
  [[nodiscard]] int descriptor() const;

  // Sends the end of the stream after all that was written.  What still arrives is read and thrown away until
  // the peer closes, which on_end() reports: closing with bytes unread would make the kernel reset the
  // connection, and the peer might lose what was written last.
  void finish();

  [[nodiscard]] uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(stream()); }

 protected:
  Stream() = default;

  [[nodiscard]] virtual const uv_stream_t* stream() const = 0;
  [[nodiscard]] uv_stream_t* stream();

  // What a request to connect ends in; it is freed there.
  static void connected(uv_connect_t* done, int error);

  // Bytes that one turn of the loop reads of this stream; what is beyond them waits for the next turn, after
  // the other streams of this one.  At most limits::kReadBufferSize, and not 0.
  [[nodiscard]] virtual std::size_t read_per_turn() const { return limits::kReadBufferSize; }

  // Bytes are about to be taken from the kernel, and on_bytes() or on_end() follows unless there are none.
  virtual void before_read() {}

  virtual void on_connected(int error) { static_cast<void>(error); }
  // The bytes are gone when this returns.  If it throws std::bad_alloc, on_end(UV_ENOMEM) follows: the
  // memory that one connection cannot get costs that connection.  What the other callbacks have no memory for
  // is left out (guard.h); on_end() must let go of the object all the same.
  virtual void on_bytes(std::string_view bytes) = 0;
  // UV_EOF when the peer closed, else what broke.  Nothing more is read; the owner lets go of the object.
  virtual void on_end(int error) = 0;
  // Nothing is queued any more: 0 when the kernel took it all, else what broke.
  virtual void on_written(int error) { static_cast<void>(error); }

 private:
  struct QueuedWrite;

  [[nodiscard]] static Stream& self(uv_stream_t* stream);
  [[nodiscard]] static std::unique_ptr<QueuedWrite> queue(std::string_view bytes);
  void take(std::string_view bytes);

  QueuedWrite* queued_ = nullptr;  // the oldest write that is not done; each knows the next
};

class TcpStream : public Stream {
 public:
  // Each returns 0 or a negative libuv error.
  [[nodiscard]] int open(Descriptor accepted);
  [[nodiscard]] int bind(const Endpoint& source);
  [[nodiscard]] int connect(const Endpoint& server);  // ends in on_connected()

  [[nodiscard]] std::optional<Endpoint> peer() const;
  [[nodiscard]] std::optional<Endpoint> local() const;
  void set_tcp_limits(const TcpLimits& limits);  // as far as the system has them
  [[nodiscard]] std::optional<TcpPath> tcp_path() const;
  void send_at_once();    // TCP_NODELAY: small answers do not wait for one another
  void reset_on_close();  // SO_LINGER 0: the end is a reset, and leaves no TIME_WAIT

 protected:
  explicit TcpStream(Loop& loop);

  using Stream::stream;
  [[nodiscard]] const uv_stream_t* stream() const final {
    return reinterpret_cast<const uv_stream_t*>(&tcp_);
  }

 private:
  uv_tcp_t tcp_;
};

class PipeStream : public Stream {
 public:
  // Returns 0 or a negative libuv error.
  [[nodiscard]] int open(Descriptor accepted);

  [[nodiscard]] std::optional<os::PeerCredentials> peer();

 protected:
  explicit PipeStream(Loop& loop);

  using Stream::stream;
  [[nodiscard]] const uv_stream_t* stream() const final {
    return reinterpret_cast<const uv_stream_t*>(&pipe_);
  }

 private:
  uv_pipe_t pipe_;
};

}  // namespace heartbeat::uv
