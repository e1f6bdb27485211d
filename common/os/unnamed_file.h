// What memory_file.cpp needs of the system.
#pragma once

#include <tl/expected.hpp>

#include "common/descriptor.h"

namespace heartbeat::os {

// An empty file without a name, closed on exec.  The error is of errno.
[[nodiscard]] tl::expected<Descriptor, int> unnamed_file();

// Forbids every change of the file from now on, where the system can.  Returns 0 or an error of errno.
[[nodiscard]] int seal(int descriptor);

}  // namespace heartbeat::os
