// What the systems do differently with sockets.  socket_linux.cpp is Linux; socket_bsd.cpp is macOS and the
// BSDs.
//
// Invariant: a descriptor that is made here does not block, and is closed on exec.  On Linux both hold from
// the call that makes it.  On macOS they are set right after it, so a program that forks in a second thread
// could leak the descriptor in between; none of ours does.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/types.h>
#include <tl/expected.hpp>

#include "common/descriptor.h"

namespace heartbeat::os {

// A new stream socket of an address family: AF_INET, AF_INET6 or AF_UNIX.  The error is of errno.
[[nodiscard]] tl::expected<Descriptor, int> stream_socket(int family);

// Lets the socket be bound to an address that the machine does not have at present; connections come once it
// has it.  False where the system does not let an unprivileged program do so.
[[nodiscard]] bool allow_absent_address(int socket, int family);

// Accepts the oldest connection of a listening socket's accept queue, and writes the peer's address to `peer`
// (of a Unix socket: its family alone is certain).  The error is of errno: EAGAIN if no connection waits.
[[nodiscard]] tl::expected<Descriptor, int> accept_connection(int listening, sockaddr_storage& peer);

// send() on a socket made by stream_socket().  Returns the number of bytes that the kernel took, or -1 with
// the error in errno; a peer that has closed is EPIPE, and raises no SIGPIPE.
[[nodiscard]] ssize_t send_bytes(int socket, std::string_view bytes);

// The process at the other end of a Unix socket, as the kernel recorded it when the connection was made.
struct PeerCredentials {
  std::uint32_t uid = 0;  // effective
  std::int32_t pid = 0;   // 0 where the system does not say
};
// Nothing if the descriptor is no connected Unix socket.
[[nodiscard]] std::optional<PeerCredentials> peer_credentials(int socket);

// The groups that this process is in; empty where the system does not say.
[[nodiscard]] std::vector<std::uint32_t> peer_groups(int socket);

// A number by which a socket is known again after an exec.  On Linux it is the kernel's (SO_COOKIE): it holds
// in every process, and no other socket has it until the next boot.  Elsewhere it is the descriptor's own
// number plus 1.  0 if the descriptor is no socket.
[[nodiscard]] std::uint64_t socket_cookie(int socket);

}  // namespace heartbeat::os
