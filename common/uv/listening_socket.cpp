#include "common/uv/listening_socket.h"

#include <cerrno>

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/os/socket.h"
#include "common/uv/address.h"

namespace heartbeat::uv {

tl::expected<Descriptor, int> listening_socket(const Endpoint& at, int backlog, bool shares_port) {
  const SocketAddress address{at};
  const bool is_v6 = address.get()->sa_family == AF_INET6;
  auto socket = os::stream_socket(address.get()->sa_family);
  if (!socket) return socket;
  const auto turn_on = [&](int level, int option) {
    const int on = 1;
    setsockopt(socket->get(), level, option, &on, sizeof on);
  };
  turn_on(SOL_SOCKET, SO_REUSEADDR);  // connections of an earlier daemon may linger on the port
  if (shares_port) turn_on(SOL_SOCKET, SO_REUSEPORT);
  if (is_v6) turn_on(IPPROTO_IPV6, IPV6_V6ONLY);
  const auto bind = [&] { return ::bind(socket->get(), address.get(), address.size()) == 0; };
  bool bound = bind();
  if (!bound && errno == EADDRNOTAVAIL && os::allow_absent_address(socket->get(), address.get()->sa_family)) {
    bound = bind();
  }
  if (!bound || ::listen(socket->get(), backlog) != 0) return tl::unexpected(errno);
  return socket;
}

bool is_present(const Endpoint& at) {
  Endpoint any_port = at;
  any_port.port = 0;
  const SocketAddress address{any_port};
  const auto socket = os::stream_socket(address.get()->sa_family);
  return socket && ::bind(socket->get(), address.get(), address.size()) == 0;
}

void share_port(int descriptor, bool on) {
  const int value = on ? 1 : 0;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &value, sizeof value);
}

int set_backlog(int descriptor, int backlog) {
  return ::listen(descriptor, backlog) == 0 ? 0 : uv_translate_sys_error(errno);
}

Endpoint local_endpoint(int descriptor) {
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&local), &size);
  return endpoint_of(reinterpret_cast<const sockaddr*>(&local));
}

std::optional<Endpoint> peer_endpoint(int descriptor) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return {};
  return endpoint_of(reinterpret_cast<const sockaddr*>(&peer));
}

}  // namespace heartbeat::uv
