// Many sockets kept open in few descriptors: they lie in flight in Unix sockets, the bags.
//
// The service manager compares each descriptor that it is given with all that it has, so 10 000 of them would
// keep it busy for 22 s.  Of these it gets one for each kSocketsPerBag connections.  A bag is its receiving
// end: what is in flight to it stays there without the sending end.  Looking into a bag leaves it full, so a
// process that dies while it looks loses nothing.
//
// A socket in a bag is open: a close of its last other descriptor sends nothing to the peer.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <tl/expected.hpp>

#include "common/descriptor.h"

namespace heartbeat {

// What any Linux takes: the queue of a Unix socket holds 278 messages of 253 descriptors with the default
// net.core.wmem_default (212992), so this is less than half of what fits.
inline constexpr std::size_t kSocketsPerBag = 128UL * 253;

// Duplicates of these sockets, at most `per_bag` in each bag; no bag for no sockets.  The error is of errno.
[[nodiscard]] tl::expected<std::vector<Descriptor>, int> put_into_bags(std::span<const int> sockets,
                                                                       std::size_t per_bag = kSocketsPerBag);

// Duplicates of all sockets in a bag, closed on exec.  The error is of errno.
[[nodiscard]] tl::expected<std::vector<Descriptor>, int> look_into_bag(int bag);

}  // namespace heartbeat
