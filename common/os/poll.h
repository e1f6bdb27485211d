// poll() with a signal mask.  poll_linux.cpp is Linux; poll_bsd.cpp is macOS and the BSDs.
#pragma once

#include <csignal>
#include <span>

#include <poll.h>

#include "common/mono_time.h"

namespace heartbeat::os {

// poll() with `mask` as the thread's signal mask while it waits, at most `wait` (0 or more).  Mask and wait
// begin and end together, so no signal can come between the caller's last look and the wait.  Returns what
// poll() does; -1 with EINTR in errno after a signal.  Descriptors are below FD_SETSIZE.
int poll_with_mask(std::span<pollfd> descriptors, Millis wait, const sigset_t& mask);

}  // namespace heartbeat::os
