// A TCP socket that listens: how it is made, and at which address it does.
#pragma once

#include <optional>

#include <tl/expected.hpp>

#include "common/descriptor.h"
#include "common/endpoint.h"

namespace heartbeat::uv {

// Listens at the endpoint; port 0 takes a free one.  An IPv6 endpoint takes IPv6 connections only, so that
// 0.0.0.0 and [::] can be listened on side by side.  `shares_port`: also where another socket that shares its
// port (share_port()) listens already.  An address that the machine does not have at present (DHCP, a VPN or
// keepalived brings it later) is listened on all the same, where the system allows it; see is_present().
// The error is of errno.
[[nodiscard]] tl::expected<Descriptor, int> listening_socket(const Endpoint& at, int backlog,
                                                             bool shares_port = false);

// Whether the machine has the address at present.
[[nodiscard]] bool is_present(const Endpoint& at);

// Whether another socket of this user may be bound to the socket's port (SO_REUSEPORT).
void share_port(int descriptor, bool on);

// How many connections may wait to be accepted at the socket, which listens from here on if it did not.
// Returns 0 or a libuv error.
int set_backlog(int descriptor, int backlog);

// The socket's own address, with the real port.
[[nodiscard]] Endpoint local_endpoint(int descriptor);

// The other end's address; nothing if the socket is not connected.
[[nodiscard]] std::optional<Endpoint> peer_endpoint(int descriptor);

}  // namespace heartbeat::uv
