// A hash of names whose values cannot be chosen without knowing its key: SipHash-2-4, by J.-P. Aumasson and
// D. J. Bernstein (2012).
//
// Peers choose their ids.  With a hash without a key, a peer could choose many ids that fall on one place of
// an index, and turn each look-up into a walk over all of them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace heartbeat {

// Secret: drawn at random when the program starts, and never shown.
using HashKey = std::array<std::uint64_t, 2>;

[[nodiscard]] std::uint64_t keyed_hash(const HashKey& key, std::string_view bytes);

}  // namespace heartbeat
