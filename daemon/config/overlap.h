// Which addresses one program cannot listen on at the same time.
#pragma once

#include "common/endpoint.h"

namespace heartbeat {

// Whether one socket could not be bound beside the other: the same address, in whatever spelling, or an
// address and every address of its family.  `localhost` counts as 127.0.0.1; other names are not looked up.
// Port 0 never overlaps.
[[nodiscard]] bool overlap(const HostPort& one, const HostPort& other);

}  // namespace heartbeat
