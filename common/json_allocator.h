// What RapidJSON allocates with here: it does not look whether it was given anything, and new says so itself.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

namespace heartbeat {

// NOLINTBEGIN(readability-identifier-naming): the names are RapidJSON's
struct JsonAllocator {
  static constexpr bool kNeedFree = true;

  static void* Malloc(std::size_t size) { return size == 0 ? nullptr : operator new(size); }
  static void* Realloc(void* block, std::size_t size, std::size_t new_size) {
    void* const moved = Malloc(new_size);
    if (moved != nullptr && block != nullptr) std::memcpy(moved, block, std::min(size, new_size));
    Free(block);
    return moved;
  }
  static void Free(void* block) { operator delete(block); }
};
// NOLINTEND(readability-identifier-naming)

}  // namespace heartbeat
