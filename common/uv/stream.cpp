#include "common/uv/stream.h"

#include <memory>
#include <new>
#include <string>
#include <utility>

#include <sys/socket.h>

#include "common/os/tcp.h"
#include "common/uv/address.h"
#include "common/uv/guard.h"

namespace heartbeat::uv {
namespace {

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

}  // namespace

struct Stream::QueuedWrite {
  uv_write_t request;
  std::string bytes;
  QueuedWrite* next = nullptr;
};

// Null where there is no memory for it.
std::unique_ptr<Stream::QueuedWrite> Stream::queue(std::string_view bytes) {
  std::unique_ptr<QueuedWrite> queued;
  const bool fits = guarded([&] {
    queued = std::make_unique<QueuedWrite>();
    queued->bytes = bytes;
    queued->request.data = queued.get();
  });
  return fits ? std::move(queued) : nullptr;
}

// Each stream sets its handle's `data` to itself as a Stream*.
Stream& Stream::self(uv_stream_t* stream) {
  return *static_cast<Stream*>(stream->data);
}

void Stream::connected(uv_connect_t* done, int error) {
  const std::unique_ptr<uv_connect_t> owned{done};
  if (error == UV_ECANCELED) return;  // the object was let go of meanwhile
  guarded([&] { self(done->handle).on_connected(error); });
}

uv_stream_t* Stream::stream() {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): the handle is ours, and we are not const
  return const_cast<uv_stream_t*>(std::as_const(*this).stream());
}

int Stream::start_reading() {
  // libuv would read up to 32 times as long as the buffer gets full.  Lending it nothing ends that, and the
  // next poll finds the rest.
  const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept {
    auto* const from = reinterpret_cast<uv_stream_t*>(handle);
    *buffer = Loop::of(handle).read_buffer(from, self(from).read_per_turn());
    if (buffer->len > 0) self(from).before_read();
  };
  const auto take = [](uv_stream_t* from, ssize_t count, const uv_buf_t* buffer) {
    if (count > 0) {
      const auto size = static_cast<std::size_t>(count);
      if (size == buffer->len) Loop::of(reinterpret_cast<uv_handle_t*>(from)).filled_by(from);
      self(from).take({buffer->base, size});
    } else if (count < 0 && count != UV_ENOBUFS) {
      uv_read_stop(from);
      guarded([&] { self(from).on_end(true_end(from, static_cast<int>(count))); });
    }
  };
  return uv_read_start(stream(), lend, take);
}

void Stream::take(std::string_view bytes) {
  if (guarded([&] { on_bytes(bytes); })) return;
  uv_read_stop(stream());
  guarded([&] { on_end(UV_ENOMEM); });
}

void Stream::pause_reading() {
  uv_read_stop(stream());
}

int Stream::write(std::string_view bytes, std::size_t queue_max) {
  // const_cast: uv_buf_t has one type for both directions; writing does not change it.
  auto* const base = const_cast<char*>(bytes.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  const uv_buf_t now = uv_buf_init(base, static_cast<unsigned>(bytes.size()));
  const int written = uv_try_write(stream(), &now, 1);
  if (written < 0 && written != UV_EAGAIN) return written;
  if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  if (bytes.empty()) return 0;

  if (uv_stream_get_write_queue_size(stream()) + bytes.size() > queue_max) return UV_ENOBUFS;
  auto queued = queue(bytes);
  if (queued == nullptr) return UV_ENOMEM;
  const uv_buf_t later = uv_buf_init(queued->bytes.data(), static_cast<unsigned>(queued->bytes.size()));
  const auto on_done = [](uv_write_t* request, int error) {
    const std::unique_ptr<QueuedWrite> owned{static_cast<QueuedWrite*>(request->data)};
    uv_stream_t* const to = request->handle;
    self(to).queued_ = owned->next;     // writes are done in their order
    if (error == UV_ECANCELED) return;  // the object was let go of meanwhile
    if (uv_stream_get_write_queue_size(to) == 0) guarded([&] { self(to).on_written(error); });
  };
  const int error = uv_write(&queued->request, stream(), &later, 1, on_done);
  if (error != 0) return error;
  QueuedWrite** end = &queued_;
  while (*end != nullptr) end = &(*end)->next;
  *end = queued.release();  // on_done has it now
  return 0;
}

// libuv counts the bytes that wait.  They are the last of the bytes that are queued here.
std::string Stream::unsent() const {
  std::string bytes;
  for (const QueuedWrite* write = queued_; write != nullptr; write = write->next) bytes += write->bytes;
  bytes.erase(0, bytes.size() - uv_stream_get_write_queue_size(stream()));
  return bytes;
}

int Stream::descriptor() const {
  uv_os_fd_t descriptor = -1;
  const auto* const handle = reinterpret_cast<const uv_handle_t*>(stream());
  return uv_fileno(handle, &descriptor) == 0 ? descriptor : -1;
}

bool Stream::has_unsent() const {
  return uv_stream_get_write_queue_size(stream()) > 0;
}

void Stream::finish() {
  std::unique_ptr<uv_shutdown_t> request{new (std::nothrow) uv_shutdown_t};
  if (request == nullptr) return;  // the end comes with the close
  const auto on_done = [](uv_shutdown_t* done, int) noexcept {
    const std::unique_ptr<uv_shutdown_t> owned{done};
  };
  if (uv_shutdown(request.get(), stream(), on_done) == 0) static_cast<void>(request.release());
}

TcpStream::TcpStream(Loop& loop) {
  uv_tcp_init(loop.get(), &tcp_);
  tcp_.data = static_cast<Stream*>(this);
}

int TcpStream::open(Descriptor accepted) {
  const int error = uv_tcp_open(&tcp_, accepted.get());
  if (error == 0) static_cast<void>(accepted.release());  // libuv has it now
  return error;
}

int TcpStream::bind(const Endpoint& source) {
  const SocketAddress address{source};
  return uv_tcp_bind(&tcp_, address.get(), 0);
}

int TcpStream::connect(const Endpoint& server) {
  auto request = std::make_unique<uv_connect_t>();
  const SocketAddress address{server};
  const int error = uv_tcp_connect(request.get(), &tcp_, address.get(), connected);
  if (error == 0) static_cast<void>(request.release());  // connected() has it now
  return error;
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

void TcpStream::set_tcp_limits(const TcpLimits& limits) {
  static_cast<void>(os::set_tcp_limits(descriptor(), limits));
}

std::optional<TcpPath> TcpStream::tcp_path() const {
  return os::tcp_path(descriptor());
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

PipeStream::PipeStream(Loop& loop) {
  uv_pipe_init(loop.get(), &pipe_, 0);
  pipe_.data = static_cast<Stream*>(this);
}

int PipeStream::open(Descriptor accepted) {
  const int error = uv_pipe_open(&pipe_, accepted.get());
  if (error == 0) static_cast<void>(accepted.release());  // libuv has it now
  return error;
}

std::optional<os::PeerCredentials> PipeStream::peer() {
  uv_os_fd_t descriptor = -1;
  if (uv_fileno(handle(), &descriptor) != 0) return {};
  return os::peer_credentials(descriptor);
}

}  // namespace heartbeat::uv
