// The options and the state of a TCP socket, which each system names differently.  tcp_linux.cpp is Linux;
// tcp_bsd.cpp is macOS and the BSDs, where there is no user timeout, and the state is not read.
#pragma once

#include <optional>

#include "common/tcp_path.h"

namespace heartbeat::os {

// Returns whether the system took all of it.
bool set_tcp_limits(int socket, const TcpLimits& limits) noexcept;

// Nothing if the socket is no TCP socket, or the system does not say.
[[nodiscard]] std::optional<TcpPath> tcp_path(int socket) noexcept;

}  // namespace heartbeat::os
