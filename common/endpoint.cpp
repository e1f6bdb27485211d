#include "common/endpoint.h"

#include <charconv>

#include <arpa/inet.h>

namespace heartbeat {

std::string address_string(const Endpoint& endpoint) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = endpoint.family == Endpoint::Family::V4 ? AF_INET : AF_INET6;
  inet_ntop(family, endpoint.address.data(), text.data(), text.size());
  return text.data();
}

std::string to_string(const Endpoint& endpoint) {
  const std::string address = address_string(endpoint);
  const std::string port = std::to_string(endpoint.port);
  return endpoint.family == Endpoint::Family::V4 ? address + ":" + port : "[" + address + "]:" + port;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto where = parse_host_port(text);
  if (!where) return {};
  Endpoint endpoint;
  endpoint.port = where->port;
  endpoint.family = text.starts_with('[') ? Endpoint::Family::V6 : Endpoint::Family::V4;
  const int family = endpoint.family == Endpoint::Family::V4 ? AF_INET : AF_INET6;
  if (inet_pton(family, where->host.c_str(), endpoint.address.data()) != 1) return {};
  return endpoint;
}

bool is_loopback(const Endpoint& endpoint) {
  if (endpoint.family == Endpoint::Family::V4) return endpoint.address.front() == 127;
  std::array<std::uint8_t, 16> loopback{};
  loopback.back() = 1;
  return endpoint.address == loopback;
}

std::string to_string(const HostPort& where) {
  const bool v6 = where.host.find(':') != std::string::npos;
  return (v6 ? "[" + where.host + "]" : where.host) + ":" + std::to_string(where.port);
}

tl::expected<HostPort, std::string> parse_host_port(std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    return tl::unexpected("'" + std::string{text} + "' is not an address: " + why);
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse("write it as HOST:PORT, like 127.0.0.1:14000");

  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return refuse("an IPv6 address is written in brackets, like [::1]:14000");
  }
  if (host.empty()) return refuse("the host is missing (0.0.0.0 or [::] listens on every address)");

  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || rest != digits.data() + digits.size()) {
    return refuse("the port must be a number from 0 to 65535");
  }
  return HostPort{std::string{host}, port};
}

}  // namespace heartbeat
