// A set of internet addresses that share their first bits, `10.1.0.0/16`, as a plain value.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/endpoint.h"

namespace heartbeat {

struct Network {
  std::array<std::uint8_t, 16> address{};  // network order; V4 uses the first four; 0 behind the prefix
  std::uint8_t prefix = 0;                 // bits that an address of the network shares with `address`
  Endpoint::Family family = Endpoint::Family::V4;

  friend bool operator==(const Network&, const Network&) = default;
};

// Whether the endpoint's address, whatever its port, is one of the network's.
[[nodiscard]] bool contains(const Network& network, const Endpoint& endpoint);
[[nodiscard]] bool contains(const std::vector<Network>& networks, const Endpoint& endpoint);

// `10.1.0.0/16`; a network of one address as that address alone, `10.0.0.5`.
[[nodiscard]] std::string to_string(const Network& network);

// Reads `ADDRESS/BITS`, or an address alone, which is a network of one.  The bits behind the prefix must be
// 0: 10.1.2.3/16 may have been meant as 10.1.2.3 or as 10.1.0.0/16.  The error is a sentence that names the
// text.
[[nodiscard]] tl::expected<Network, std::string> parse_network(std::string_view text);

}  // namespace heartbeat
