#include "common/endpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>

#include "common/text.h"

namespace heartbeat {
namespace {

constexpr std::size_t kBracketsAndPort = sizeof "[]:65535";

// Every connection is named a few times, and what the C library does with an IPv4 address takes a thousand
// instructions: so it is written here.
class Writer {
 public:
  void put(char byte) { *at_++ = byte; }
  void put_number(unsigned number) { at_ = std::to_chars(at_, text_.data() + text_.size(), number).ptr; }

  void put_address(const Endpoint& endpoint) {
    if (endpoint.family == Endpoint::Family::V6) {
      inet_ntop(AF_INET6, endpoint.address.data(), at_, INET6_ADDRSTRLEN);
      at_ += std::strlen(at_);
      return;
    }
    for (std::size_t part = 0; part < 4; ++part) {
      if (part > 0) put('.');
      put_number(endpoint.address.at(part));
    }
  }

  [[nodiscard]] std::string text() const {
    return {text_.data(), static_cast<std::size_t>(at_ - text_.data())};
  }

 private:
  std::array<char, INET6_ADDRSTRLEN + kBracketsAndPort> text_{};
  char* at_ = text_.data();
};

}  // namespace

std::string address_string(const Endpoint& endpoint) {
  Writer writer;
  writer.put_address(endpoint);
  return writer.text();
}

std::string to_string(const Endpoint& endpoint) {
  const bool is_v6 = endpoint.family == Endpoint::Family::V6;
  Writer writer;
  if (is_v6) writer.put('[');
  writer.put_address(endpoint);
  if (is_v6) writer.put(']');
  writer.put(':');
  writer.put_number(endpoint.port);
  return writer.text();
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

bool reads_as_address(std::string_view text) {
  const auto is_digit = [](char byte) { return byte >= '0' && byte <= '9'; };
  const auto may_stand = [&](char byte) {
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F') || byte == ':' ||
           byte == '.' || byte == '[' || byte == ']';
  };
  // Most ids differ from an address in their first bytes, and this is asked of each heartbeat.
  const auto other =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), may_stand) - text.begin());
  if (other != text.size()) {
    if (text[other] != '%') return false;
    // Without its zone, `fe80::1%eth0`, whatever the zone is called.
    const std::size_t bracket = std::min(text.find(']', other), text.size());
    return reads_as_address(std::string{text.substr(0, other)}.append(text.substr(bracket)));
  }
  if (text.find_first_of(":.") == std::string_view::npos) return false;  // a number, or digits of a hash
  if (text.size() >= INET6_ADDRSTRLEN + kBracketsAndPort) return false;

  std::string_view host = text;
  std::string_view port;  // with its colon
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return false;
    host = text.substr(1, bracket - 1);
    port = text.substr(bracket + 1);
  } else if (const std::size_t colon = text.find(':'); colon == text.rfind(':')) {
    host = text.substr(0, colon);
    port = text.substr(host.size());
  }
  if (!port.empty()) {
    if (!port.starts_with(':') || port.size() < 2) return false;
    if (!std::all_of(port.begin() + 1, port.end(), is_digit)) return false;
  }
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN + kBracketsAndPort> whole{};  // with its zero
  host.copy(whole.data(), whole.size() - 1);
  return inet_pton(AF_INET, whole.data(), &address) == 1 || inet_pton(AF_INET6, whole.data(), &address) == 1;
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
    return tl::unexpected("'" + escaped(text) + "' is not an address: " + why);
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
  if (host == "*") return refuse("write 0.0.0.0 for every IPv4 address, [::] for every IPv6 address");
  if (host.find('%') != std::string_view::npos) {
    return refuse("an address with a zone (%) cannot be used; take an address without one");
  }

  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || rest != digits.data() + digits.size()) {
    return refuse("the port must be a number from 0 to 65535");
  }
  return HostPort{std::string{host}, port};
}

}  // namespace heartbeat
