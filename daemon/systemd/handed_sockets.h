// The listening sockets that the service manager keeps for us (socket activation).
//
// They stay open in the manager while the daemon restarts, so a peer that connects meanwhile waits in their
// queue and is not refused.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace heartbeat {

// The names under which a process leaves descriptors in the service manager's store for the next one.
inline constexpr const char* kKeptState = "kept-state";    // a memory file with the handover
inline constexpr const char* kKeptBag = "kept-bag";        // client sockets in flight
inline constexpr const char* kKeptSocket = "kept-socket";  // a listening socket of the daemon's own

struct HandedSockets {
  // What the process before this one left.  `kept_state` is there if any is.
  std::optional<int> kept_state;
  std::vector<int> kept_bags;
  std::vector<int> kept_sockets;

  std::vector<int> clients;    // listening TCP sockets; clients are accepted here, and nowhere else
  std::optional<int> control;  // the listening Unix socket named `control` (FileDescriptorName=)
};

// Takes what was handed over; the descriptors are the caller's.  Can be called once.  The error names the
// first socket that is not what its name says: a mistake in a socket unit.
[[nodiscard]] tl::expected<HandedSockets, std::string> take_handed_sockets();

}  // namespace heartbeat
