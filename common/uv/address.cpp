#include "common/uv/address.h"

#include <algorithm>
#include <cstring>

#include <netinet/in.h>

#include "common/os/socket.h"

namespace heartbeat::uv {

SocketAddress::SocketAddress(const Endpoint& endpoint) {
  if (endpoint.family == Endpoint::Family::V4) {
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&storage_);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    std::memcpy(&v4->sin_addr, endpoint.address.data(), sizeof v4->sin_addr);
  } else {
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&storage_);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    std::memcpy(&v6->sin6_addr, endpoint.address.data(), sizeof v6->sin6_addr);
  }
}

Endpoint endpoint_of(const sockaddr* address) {
  Endpoint endpoint;
  if (address->sa_family == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address);
    endpoint.port = ntohs(v4->sin_port);
    std::memcpy(endpoint.address.data(), &v4->sin_addr, sizeof v4->sin_addr);
  } else if (address->sa_family == AF_INET6) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(address);
    endpoint.family = Endpoint::Family::V6;
    endpoint.port = ntohs(v6->sin6_port);
    std::memcpy(endpoint.address.data(), &v6->sin6_addr, sizeof v6->sin6_addr);
  }
  return endpoint;
}

tl::expected<std::vector<Endpoint>, std::string> resolve_all(Loop& loop, const HostPort& where) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  uv_getaddrinfo_t request;
  const int error = uv_getaddrinfo(loop.get(), &request, nullptr, where.host.c_str(), nullptr, &hints);
  if (error != 0) {
    return tl::unexpected("'" + where.host + "' is not an address and no host of that name is known (" +
                          uv_strerror(error) + ")");
  }
  std::vector<Endpoint> endpoints;
  for (const addrinfo* found = request.addrinfo; found != nullptr; found = found->ai_next) {
    Endpoint endpoint = endpoint_of(found->ai_addr);
    endpoint.port = where.port;
    const bool is_known = std::find(endpoints.begin(), endpoints.end(), endpoint) != endpoints.end();
    if (!is_known && os::stream_socket(found->ai_family)) endpoints.push_back(endpoint);
  }
  uv_freeaddrinfo(request.addrinfo);
  if (endpoints.empty()) {
    return tl::unexpected("'" + where.host + "' has no address of a family that this machine can use");
  }
  return endpoints;
}

tl::expected<Endpoint, std::string> resolve(Loop& loop, const HostPort& where) {
  return resolve_all(loop, where).map([](const std::vector<Endpoint>& all) { return all.front(); });
}

}  // namespace heartbeat::uv
