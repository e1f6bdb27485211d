#include "common/os/unix_socket.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

#include "common/os/socket.h"

namespace heartbeat::os {

tl::expected<Descriptor, int> connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return tl::unexpected(ENAMETOOLONG);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  auto socket = stream_socket(AF_UNIX);
  if (!socket) return socket;
  if (::connect(socket->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return tl::unexpected(errno);
  }
  return socket;
}

std::string bound_path(int socket) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  if (address.sun_family != AF_UNIX) return {};
  const char* const path = static_cast<const char*>(address.sun_path);
  return {path, strnlen(path, sizeof address.sun_path)};
}

}  // namespace heartbeat::os
