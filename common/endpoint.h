// An internet address and a port as a plain value: 20 bytes, comparable, printable.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include <tl/expected.hpp>

namespace heartbeat {

struct Endpoint {
  enum class Family : std::uint8_t { V4, V6 };

  std::array<std::uint8_t, 16> address{};  // network order; V4 uses the first four
  std::uint16_t port = 0;
  Family family = Family::V4;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  // An order for sorted containers.  By `<`: libc++ has no three-way comparison of arrays before LLVM 17.
  friend bool operator<(const Endpoint& one, const Endpoint& other) {
    return std::tie(one.address, one.port, one.family) < std::tie(other.address, other.port, other.family);
  }
};

// `127.0.0.1:14000`, `[::1]:14000`.
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

// The address alone: `127.0.0.1`, `::1`.
[[nodiscard]] std::string address_string(const Endpoint& endpoint);

// Reads what to_string() wrote, and nothing else: no names, no missing port.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);

// Whether only this machine can reach it: 127.0.0.0/8 or ::1.
[[nodiscard]] bool is_loopback(const Endpoint& endpoint);

// Whether the whole text is an IPv4 or IPv6 address, in brackets or not, with a port or without: everything
// that to_string() and address_string() write, and every other spelling of the same addresses.
[[nodiscard]] bool reads_as_address(std::string_view text);

// HOST:PORT as people write it on a command line, not yet resolved.
struct HostPort {
  std::string host;  // a name or a numeric address, without brackets
  std::uint16_t port = 0;

  friend auto operator<=>(const HostPort&, const HostPort&) = default;
};

// As parse_host_port() reads it.
[[nodiscard]] std::string to_string(const HostPort& where);

// Splits `HOST:PORT` or `[IPV6]:PORT`; the port is 0 to 65535.  The error is a sentence that names the text.
[[nodiscard]] tl::expected<HostPort, std::string> parse_host_port(std::string_view text);

}  // namespace heartbeat
