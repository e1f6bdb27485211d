// Counts what our code asks of the allocator: new and delete, and RapidJSON's malloc.
//
// The linker redirects every call of the allocator in this program to the counting functions (see
// CMakeLists.txt), which pass it on to the real ones, a sanitizer's where there is one.
#pragma once

#include <cstdint>

namespace heartbeat::test {

// Blocks asked for since the start, a block that was made to grow included.
[[nodiscard]] std::uint64_t allocations_made();

// Blocks asked for and not given back.  Only differences mean something: what a library allocated itself and
// we free is counted on one side.
[[nodiscard]] std::int64_t allocations_live();

}  // namespace heartbeat::test
