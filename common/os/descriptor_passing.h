// Open descriptors in flight: sent as a message of a Unix socket, they stay open inside that socket until the
// message is received.  descriptor_passing_linux.cpp is Linux; elsewhere every call fails with ENOTSUP.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <tl/expected.hpp>

#include "common/descriptor.h"

namespace heartbeat::os {

// The kernel takes this many descriptors in one message (SCM_MAX_FD).
inline constexpr std::size_t kDescriptorsPerMessage = 253;

// Sends duplicates of the descriptors, at least one and at most kDescriptorsPerMessage, as one message.
// Returns 0 or an error of errno: EAGAIN if the socket is full, ETOOMANYREFS if this user has as many
// descriptors in flight as one process may have open.  Never blocks.
[[nodiscard]] int send_descriptors(int socket, std::span<const int> descriptors);

// Duplicates of all descriptors that are in flight to the socket, closed on exec.  The messages stay in the
// socket, so a second call returns the same again.  The error is of errno: EMFILE if this process may not
// have that many open, and then none is returned.
[[nodiscard]] tl::expected<std::vector<Descriptor>, int> peek_descriptors(int socket);

}  // namespace heartbeat::os
