#include "common/uv/stream.h"

#include <memory>
#include <string>

#include <sys/socket.h>

#include "common/limits.h"
#include "common/uv/address.h"

namespace heartbeat::uv {
namespace {

TcpStream* self(const void* data) {
  // `data` is set from a TcpStream*, and TcpStream is the only class that reads it back.
  return static_cast<TcpStream*>(const_cast<void*>(data));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

uv_stream_t* stream_of(uv_tcp_t& tcp) {
  return reinterpret_cast<uv_stream_t*>(&tcp);
}

// libuv 1.44 calls it the end of the stream when a reset comes together with the last bytes; the kernel knows
// better.
int true_end(uv_stream_t* stream, int error) {
  uv_os_fd_t descriptor = -1;
  if (error != UV_EOF || uv_fileno(reinterpret_cast<uv_handle_t*>(stream), &descriptor) != 0) return error;
  int pending = 0;
  socklen_t size = sizeof pending;
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &pending, &size);
  return pending == 0 ? UV_EOF : uv_translate_sys_error(pending);
}

struct QueuedWrite {
  uv_write_t request;
  std::string bytes;
};

}  // namespace

TcpStream::TcpStream(Loop& loop) {
  uv_tcp_init(loop.get(), &tcp_);
  tcp_.data = this;
}

int TcpStream::accept(uv_stream_t* listener) {
  return uv_accept(listener, stream_of(tcp_));
}

int TcpStream::bind(const Endpoint& source) {
  const SocketAddress address{source};
  return uv_tcp_bind(&tcp_, address.get(), 0);
}

int TcpStream::connect(const Endpoint& server) {
  auto request = std::make_unique<uv_connect_t>();
  const SocketAddress address{server};
  const auto on_done = [](uv_connect_t* done, int error) {
    const std::unique_ptr<uv_connect_t> owned{done};
    if (error == UV_ECANCELED) return;  // the object was let go of meanwhile
    self(done->handle->data)->on_connected(error);
  };
  const int error = uv_tcp_connect(request.get(), &tcp_, address.get(), on_done);
  if (error == 0) static_cast<void>(request.release());  // on_done has it now
  return error;
}

int TcpStream::start_reading() {
  const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    *buffer = Loop::of(handle).read_buffer();
  };
  const auto take = [](uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
    if (count > 0) {
      self(stream->data)->on_bytes({buffer->base, static_cast<std::size_t>(count)});
    } else if (count < 0) {
      uv_read_stop(stream);
      self(stream->data)->on_end(true_end(stream, static_cast<int>(count)));
    }
  };
  return uv_read_start(stream_of(tcp_), lend, take);
}

int TcpStream::write(std::string_view bytes) {
  // const_cast: uv_buf_t has one type for both directions; writing does not change it.
  auto* const base = const_cast<char*>(bytes.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  const uv_buf_t now = uv_buf_init(base, static_cast<unsigned>(bytes.size()));
  const int written = uv_try_write(stream_of(tcp_), &now, 1);
  if (written < 0 && written != UV_EAGAIN) return written;
  if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  if (bytes.empty()) return 0;

  if (uv_stream_get_write_queue_size(stream_of(tcp_)) + bytes.size() > limits::kWriteQueueMax)
    return UV_ENOBUFS;
  auto queued = std::make_unique<QueuedWrite>();
  queued->bytes = bytes;
  queued->request.data = queued.get();
  const uv_buf_t later = uv_buf_init(queued->bytes.data(), static_cast<unsigned>(queued->bytes.size()));
  const auto on_done = [](uv_write_t* request, int) {
    const std::unique_ptr<QueuedWrite> owned{static_cast<QueuedWrite*>(request->data)};
  };
  const int error = uv_write(&queued->request, stream_of(tcp_), &later, 1, on_done);
  if (error == 0) static_cast<void>(queued.release());  // on_done has it now
  return error;
}

bool TcpStream::has_unsent() const {
  return uv_stream_get_write_queue_size(reinterpret_cast<const uv_stream_t*>(&tcp_)) > 0;
}

void TcpStream::finish() {
  auto request = std::make_unique<uv_shutdown_t>();
  const auto on_done = [](uv_shutdown_t* done, int) { const std::unique_ptr<uv_shutdown_t> owned{done}; };
  if (uv_shutdown(request.get(), stream_of(tcp_), on_done) == 0) static_cast<void>(request.release());
}

std::optional<Endpoint> TcpStream::peer() const {
  sockaddr_storage address;
  int size = sizeof address;
  if (uv_tcp_getpeername(&tcp_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return endpoint_of(reinterpret_cast<const sockaddr*>(&address));
}

std::optional<Endpoint> TcpStream::local() const {
  sockaddr_storage address;
  int size = sizeof address;
  if (uv_tcp_getsockname(&tcp_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return endpoint_of(reinterpret_cast<const sockaddr*>(&address));
}

void TcpStream::send_at_once() {
  uv_tcp_nodelay(&tcp_, 1);
}

void TcpStream::reset_on_close() {
  uv_os_fd_t descriptor = -1;
  if (uv_fileno(handle(), &descriptor) != 0) return;
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace heartbeat::uv
