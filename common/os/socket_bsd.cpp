#include <cerrno>

#include <fcntl.h>
#include <sys/ucred.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/os/socket.h"

namespace heartbeat::os {
namespace {

// The descriptor, not blocking and closed on exec.
tl::expected<Descriptor, int> prepared(Descriptor made) {
  if (made.get() < 0) return tl::unexpected(errno);
  const int status = fcntl(made.get(), F_GETFL);
  const bool done = status != -1 && fcntl(made.get(), F_SETFL, status | O_NONBLOCK) != -1 &&
                    fcntl(made.get(), F_SETFD, FD_CLOEXEC) != -1;
  if (!done) return tl::unexpected(errno);
  return made;
}

}  // namespace

tl::expected<Descriptor, int> stream_socket(int family) {
  auto made = prepared(Descriptor{::socket(family, SOCK_STREAM, 0)});
  if (!made) return made;
  const int on = 1;  // for send_bytes(): macOS has no such flag of send() itself
  if (setsockopt(made->get(), SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) != 0) return tl::unexpected(errno);
  return made;
}

bool allow_absent_address(int, int) {
  return false;
}

tl::expected<Descriptor, int> accept_connection(int listening, sockaddr_storage& peer) {
  socklen_t size = sizeof peer;
  return prepared(Descriptor{::accept(listening, reinterpret_cast<sockaddr*>(&peer), &size)});
}

ssize_t send_bytes(int socket, std::string_view bytes) {
  return ::send(socket, bytes.data(), bytes.size(), 0);
}

std::optional<PeerCredentials> peer_credentials(int socket) {
  uid_t user = 0;
  gid_t group = 0;
  if (getpeereid(socket, &user, &group) != 0) return {};
  pid_t process = 0;
#ifdef LOCAL_PEERPID  // macOS
  socklen_t size = sizeof process;
  if (getsockopt(socket, SOL_LOCAL, LOCAL_PEERPID, &process, &size) != 0) process = 0;
#endif
  return PeerCredentials{user, process};
}

std::vector<std::uint32_t> peer_groups(int socket) {
  xucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_LOCAL, LOCAL_PEERCRED, &credentials, &size) != 0) return {};
  return {credentials.cr_groups, credentials.cr_groups + credentials.cr_ngroups};
}

std::uint64_t socket_cookie(int socket) {
  int type = 0;
  socklen_t size = sizeof type;
  if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return 0;
  return static_cast<std::uint64_t>(socket) + 1;
}

}  // namespace heartbeat::os
