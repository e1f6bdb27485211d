#include "daemon/io/listener.h"

#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "common/uv/address.h"

namespace heartbeat {

Listener::Listener(uv::Loop& loop, Callback on_connection) : on_connection_(std::move(on_connection)) {
  uv_tcp_init(loop.get(), &tcp_);
  tcp_.data = this;
}

tl::expected<uv::Owned<Listener>, std::string> Listener::create(uv::Loop& loop, const Endpoint& at,
                                                                int backlog, bool shares_port,
                                                                Callback on_connection) {
  uv::Owned<Listener> listener{new Listener{loop, std::move(on_connection)}};
  listener->asked_ = at;
  const uv::SocketAddress address{at};
  const unsigned flags = at.family == Endpoint::Family::V6 ? UV_TCP_IPV6ONLY : 0;
  int error = shares_port ? listener->open_sharing(address.get()->sa_family) : 0;
  if (error == 0) error = uv_tcp_bind(&listener->tcp_, address.get(), flags);
  if (error == 0) error = listener->start(backlog);
  if (error == 0 && shares_port) listener->share_port(false);
  if (error != 0) return tl::unexpected("cannot listen on " + to_string(at) + ": " + uv_strerror(error));
  return listener;
}

tl::expected<uv::Owned<Listener>, std::string> Listener::adopt(uv::Loop& loop, int descriptor, int backlog,
                                                               Callback on_connection) {
  uv::Owned<Listener> listener{new Listener{loop, std::move(on_connection)}};
  int error = uv_tcp_open(&listener->tcp_, descriptor);
  if (error != 0) ::close(descriptor);
  if (error == 0) error = listener->start(backlog);
  if (error != 0) {
    return tl::unexpected("cannot listen on the socket that was handed over as descriptor " +
                          std::to_string(descriptor) + ": " + uv_strerror(error));
  }
  listener->asked_ = listener->local_;
  return listener;
}

int Listener::start(int backlog) {
  const auto on_waiting = [](uv_stream_t* stream, int error) {
    static_cast<Listener*>(stream->data)->on_connection_(stream, error);
  };
  auto* const stream = reinterpret_cast<uv_stream_t*>(&tcp_);
  if (const int error = uv_listen(stream, backlog, on_waiting); error != 0) return error;

  sockaddr_storage local;
  int size = sizeof local;
  const int error = uv_tcp_getsockname(&tcp_, reinterpret_cast<sockaddr*>(&local), &size);
  if (error == 0) local_ = uv::endpoint_of(reinterpret_cast<const sockaddr*>(&local));
  return error;
}

// libuv makes a socket when it binds it, which is too late to say that it shares its port.
int Listener::open_sharing(int family) {
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return uv_translate_sys_error(errno);
  const int error = uv_tcp_open(&tcp_, descriptor);
  error == 0 ? share_port(true) : static_cast<void>(::close(descriptor));
  return error;
}

void Listener::set_backlog(int backlog) {
  ::listen(descriptor(), backlog);  // of a socket that listens already: the length of its queue
}

void Listener::share_port(bool on) {
  const int value = on ? 1 : 0;
  setsockopt(descriptor(), SOL_SOCKET, SO_REUSEPORT, &value, sizeof value);
}

uv_os_fd_t Listener::descriptor() {
  uv_os_fd_t descriptor = -1;
  uv_fileno(handle(), &descriptor);
  return descriptor;
}

}  // namespace heartbeat
