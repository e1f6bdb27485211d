// A TCP socket that listens: how it is made, and where it does.
#pragma once

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/endpoint.h"

namespace heartbeat::uv {

// Listens at the endpoint; port 0 takes a free one.  An IPv6 endpoint takes IPv6 connections only, so that
// 0.0.0.0 and [::] can be listened on side by side.  `shares_port`: with a socket for which the same was
// said (SO_REUSEPORT).  The error is of errno.
[[nodiscard]] tl::expected<Descriptor, int> listening_socket(const Endpoint& at, int backlog,
                                                             bool shares_port = false);

// The socket's own address, with the real port.
[[nodiscard]] Endpoint local_endpoint(int descriptor);

}  // namespace heartbeat::uv
