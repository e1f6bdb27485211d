#include "daemon/config/overlap.h"

#include <optional>

#include <arpa/inet.h>

namespace heartbeat {
namespace {

// Nothing for a name other than localhost.
std::optional<Endpoint> numeric_address(const std::string& host) {
  Endpoint endpoint;
  const char* const text = host == "localhost" ? "127.0.0.1" : host.c_str();
  if (inet_pton(AF_INET, text, endpoint.address.data()) == 1) return endpoint;
  endpoint.family = Endpoint::Family::V6;
  if (inet_pton(AF_INET6, text, endpoint.address.data()) == 1) return endpoint;
  return {};
}

}  // namespace

bool overlap(const HostPort& one, const HostPort& other) {
  if (one.port != other.port || one.port == 0) return false;
  const auto a = numeric_address(one.host);
  const auto b = numeric_address(other.host);
  if (!a || !b) return one.host == other.host;
  if (a->family != b->family) return false;
  const auto is_all = [](const Endpoint& at) { return at.address == Endpoint{}.address; };
  return a->address == b->address || is_all(*a) || is_all(*b);
}

}  // namespace heartbeat
