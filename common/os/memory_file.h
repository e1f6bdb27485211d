// A file in memory: it has no name, and lives as long as a descriptor of it is open in any process.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/descriptor.h"

namespace heartbeat::os {

// A file that holds these bytes and is closed on exec.  On Linux it is sealed, so that no process can change
// it. The error is of errno.
[[nodiscard]] tl::expected<Descriptor, int> memory_file(std::string_view bytes);

// All bytes of such a file, wherever its offset stands.  The error is of errno; EFBIG if there are more than
// `size_max`.
[[nodiscard]] tl::expected<std::string, int> read_memory_file(int descriptor, std::size_t size_max);

}  // namespace heartbeat::os
