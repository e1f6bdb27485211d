// A hash of names that nobody can aim at without knowing its key: SipHash-2-4, by J.-P. Aumasson and
// D. J. Bernstein (2012).
//
// Whoever chooses names, and peers choose their ids, could otherwise choose many that fall on one place of an
// index, and make each look into it a walk over all of them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace heartbeat {

// Secret: drawn at random when the program starts, and never told.
using HashKey = std::array<std::uint64_t, 2>;

[[nodiscard]] std::uint64_t keyed_hash(const HashKey& key, std::string_view bytes);

}  // namespace heartbeat
