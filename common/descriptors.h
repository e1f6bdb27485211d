// The descriptors of this process: how many it may have, and the three that each program takes for granted.
#pragma once

#include <cstddef>

namespace heartbeat {

// Raises the limit as far as is allowed without rights, and returns it.
std::size_t raise_descriptor_limit();

// Opens /dev/null in the place of standard input, output and error where the parent had closed them.
// Otherwise the next socket or file gets such a number, and a line for standard error goes into it.  Must be
// called before anything else is opened.
void open_standard_descriptors();

}  // namespace heartbeat
