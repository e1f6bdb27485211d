// The name of one connection inside the daemon: a slot, and which of its tenants is meant.
//
// Slots are small numbers that are used again, so what is kept per connection can be kept in a
// vector.  The generation makes a name that outlived its connection refer to nothing, not to the next tenant.
#pragma once

#include <compare>
#include <cstdint>

namespace heartbeat {

struct ConnId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;

  friend auto operator<=>(const ConnId&, const ConnId&) = default;
};

}  // namespace heartbeat
