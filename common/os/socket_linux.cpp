#include <cerrno>

#include <netinet/in.h>

#include "common/os/socket.h"

namespace heartbeat::os {

tl::expected<Descriptor, int> stream_socket(int family) {
  Descriptor made{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (made.get() < 0) return tl::unexpected(errno);
  return made;
}

bool allow_absent_address(int socket, int family) {
  const int on = 1;
  const bool is_v6 = family == AF_INET6;
  return setsockopt(socket, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? IPV6_FREEBIND : IP_FREEBIND, &on,
                    sizeof on) == 0;
}

tl::expected<Descriptor, int> accept_connection(int listening, sockaddr_storage& peer) {
  socklen_t size = sizeof peer;
  auto* const address = reinterpret_cast<sockaddr*>(&peer);
  Descriptor accepted{::accept4(listening, address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (accepted.get() < 0) return tl::unexpected(errno);
  return accepted;
}

ssize_t send_bytes(int socket, std::string_view bytes) {
  return ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

std::optional<PeerCredentials> peer_credentials(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {};
  if (credentials.pid == 0) return {};  // not connected
  return PeerCredentials{credentials.uid, credentials.pid};
}

std::vector<std::uint32_t> peer_groups(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {};
  // Asked with no room, the kernel says how much the groups need; with none, it succeeds.
  std::vector<gid_t> groups;
  size = 0;
  while (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) {
    if (errno != ERANGE) return {};
    groups.resize(size / sizeof(gid_t));
  }
  groups.resize(size / sizeof(gid_t));
  groups.push_back(credentials.gid);
  return {groups.begin(), groups.end()};
}

std::uint64_t socket_cookie(int socket) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

}  // namespace heartbeat::os
