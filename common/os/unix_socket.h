// Unix sockets by their paths.
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "common/descriptor.h"

namespace heartbeat::os {

// Connects at once or not at all; what it returns is as of stream_socket().  The error is of errno:
// ENAMETOOLONG for a path that no socket can have, EAGAIN where too many connections wait to be accepted.
[[nodiscard]] tl::expected<Descriptor, int> connect_to(const std::string& path);

// The path that a socket is bound to; empty if it has none, or is no Unix socket.
[[nodiscard]] std::string bound_path(int socket);

}  // namespace heartbeat::os
