// The listening sockets that the service manager keeps for us (socket activation).
//
// They stay open in the manager while the daemon restarts, so whoever connects meanwhile waits in their queue
// and is not refused.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace heartbeat {

struct HandedSockets {
  std::vector<int> clients;    // listening TCP sockets; clients are accepted here, and nowhere else
  std::optional<int> control;  // the listening Unix socket named `control` (FileDescriptorName=)
};

// Takes what was handed over; the descriptors are the caller's.  Can be called once.  The error names the
// first socket that is not what its name says: a mistake in a socket unit.
[[nodiscard]] tl::expected<HandedSockets, std::string> take_handed_sockets();

}  // namespace heartbeat
