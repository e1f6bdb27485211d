#include "daemon/io/listener.h"

#include <utility>

#include "common/uv/address.h"

namespace heartbeat {

tl::expected<uv::Owned<Listener>, std::string> Listener::create(uv::Loop& loop, const Endpoint& at,
                                                                int backlog, Callback on_connection) {
  uv::Owned<Listener> listener{new Listener};
  uv_tcp_init(loop.get(), &listener->tcp_);
  listener->tcp_.data = listener.get();
  listener->on_connection_ = std::move(on_connection);

  const auto refuse = [&](int error) {
    return tl::unexpected("cannot listen on " + to_string(at) + ": " + uv_strerror(error));
  };
  const uv::SocketAddress address{at};
  const unsigned flags = at.family == Endpoint::Family::V6 ? UV_TCP_IPV6ONLY : 0;
  if (const int error = uv_tcp_bind(&listener->tcp_, address.get(), flags); error != 0) return refuse(error);
  const auto on_waiting = [](uv_stream_t* stream, int error) {
    static_cast<Listener*>(stream->data)->on_connection_(stream, error);
  };
  auto* const stream = reinterpret_cast<uv_stream_t*>(&listener->tcp_);
  if (const int error = uv_listen(stream, backlog, on_waiting); error != 0) return refuse(error);

  sockaddr_storage local;
  int size = sizeof local;
  if (const int error = uv_tcp_getsockname(&listener->tcp_, reinterpret_cast<sockaddr*>(&local), &size);
      error != 0) {
    return refuse(error);
  }
  listener->local_ = uv::endpoint_of(reinterpret_cast<const sockaddr*>(&local));
  return listener;
}

}  // namespace heartbeat
