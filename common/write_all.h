// Writing to a file until all of it is written.
#pragma once

#include <cstdint>
#include <string_view>

namespace heartbeat {

// Writes all of the bytes where the file stands, and at the place `at`.  Each returns 0 or the errno of the
// write that failed; some of the bytes may be written then.
[[nodiscard]] int write_all(int file, std::string_view bytes);
[[nodiscard]] int write_all_at(int file, std::string_view bytes, std::uint64_t at);

}  // namespace heartbeat
