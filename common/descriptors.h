// How many descriptors this process may have: the bound on its connections.
#pragma once

#include <cstddef>

namespace heartbeat {

// Raises the limit as far as is allowed without rights, and returns it.
std::size_t raise_descriptor_limit();

}  // namespace heartbeat
