#include "common/network.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

#include <arpa/inet.h>

#include "common/text.h"

namespace heartbeat {
namespace {

constexpr unsigned kBitsPerByte = 8;

unsigned bits_of(Endpoint::Family family) {
  return family == Endpoint::Family::V4 ? 32 : 128;
}

// The address with everything behind the first `prefix` bits set to 0.
std::array<std::uint8_t, 16> masked(std::array<std::uint8_t, 16> address, unsigned prefix) {
  for (unsigned byte = 0; byte < address.size(); ++byte) {
    const unsigned begin = byte * kBitsPerByte;
    const unsigned kept = std::clamp(prefix, begin, begin + kBitsPerByte) - begin;
    address.at(byte) &= static_cast<std::uint8_t>(0xFF00U >> kept);
  }
  return address;
}

}  // namespace

bool contains(const Network& network, const Endpoint& endpoint) {
  return network.family == endpoint.family && masked(endpoint.address, network.prefix) == network.address;
}

bool contains(const std::vector<Network>& networks, const Endpoint& endpoint) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return contains(network, endpoint); });
}

std::string to_string(const Network& network) {
  const std::string address = address_string({.address = network.address, .family = network.family});
  return network.prefix == bits_of(network.family) ? address : address + '/' + std::to_string(network.prefix);
}

tl::expected<Network, std::string> parse_network(std::string_view text) {
  const auto refuse = [&](const std::string& why) {
    return tl::unexpected("'" + escaped(text) + "' is not a network: " + why);
  };
  const std::size_t slash = text.find('/');
  const std::string host{text.substr(0, slash)};
  Network network;
  network.family = host.find(':') == std::string::npos ? Endpoint::Family::V4 : Endpoint::Family::V6;
  const int family = network.family == Endpoint::Family::V4 ? AF_INET : AF_INET6;
  const bool has_zero = host.find('\0') != std::string::npos;  // inet_pton() would stop at it
  if (has_zero || inet_pton(family, host.c_str(), network.address.data()) != 1) {
    return refuse("write it as an address, like 10.0.0.5, or as ADDRESS/BITS, like 10.1.0.0/16");
  }

  const unsigned bits = bits_of(network.family);
  unsigned prefix = bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc{} || rest != digits.data() + digits.size() || prefix > bits) {
      return refuse("the bits must be a number from 0 to " + std::to_string(bits));
    }
  }
  network.prefix = static_cast<std::uint8_t>(prefix);
  if (const auto first = masked(network.address, prefix); first != network.address) {
    network.address = first;
    return refuse("it has bits set behind the first " + std::to_string(prefix) +
                  "; write the address alone, or the network as " + to_string(network));
  }
  return network;
}

}  // namespace heartbeat
