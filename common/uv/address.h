// Endpoint to and from the sockets' own form, and names to endpoints.
#pragma once

#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <tl/expected.hpp>
#include <uv.h>

#include "common/endpoint.h"
#include "common/uv/loop.h"

namespace heartbeat::uv {

// The sockaddr of an endpoint, kept where the C interfaces can point at it.
class SocketAddress {
 public:
  explicit SocketAddress(const Endpoint& endpoint);
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const {
    return storage_.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  }

 private:
  sockaddr_storage storage_{};
};

// Of an IPv4 or IPv6 address; anything else reads as 0.0.0.0:0.
[[nodiscard]] Endpoint endpoint_of(const sockaddr* address);

// The addresses of the host that a socket can be made for, in the resolver's order, at least one.  The caller
// waits for the look-up: this is for a program that is starting.  The error is a sentence that names the
// host.
[[nodiscard]] tl::expected<std::vector<Endpoint>, std::string> resolve_all(Loop& loop, const HostPort& where);

// The first of them.
[[nodiscard]] tl::expected<Endpoint, std::string> resolve(Loop& loop, const HostPort& where);

}  // namespace heartbeat::uv
