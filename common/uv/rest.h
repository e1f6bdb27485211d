// Rest for a moment without polling: what arrives meanwhile waits in the kernel.
#pragma once

#include <chrono>
#include <span>

#include <uv.h>

namespace heartbeat::uv {

// Sleeps, until one of these descriptors can be read, or a signal comes.  A length that is not positive does
// not sleep.  Does not touch the loop: its time is that of the poll before.
void rest(std::chrono::nanoseconds length, std::span<const uv_os_fd_t> unless_readable);

}  // namespace heartbeat::uv
