// The listening sockets that the service manager keeps for us (socket activation).
//
// They stay open in the manager while the daemon restarts, so a peer that connects meanwhile waits in their
// queue and is not refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace heartbeat {

// The names under which a process leaves descriptors in the service manager's store for the next one begin
// with these words; a number follows, so that no two have the same name.
inline constexpr std::string_view kKeptState = "kept-state-";    // a state file
inline constexpr std::string_view kKeptBag = "kept-bag-";        // client sockets in flight
inline constexpr std::string_view kKeptSocket = "kept-socket-";  // a listening socket of the daemon's own

struct HandedSockets {
  // What the process before this one left.
  std::vector<int> kept_states;
  std::vector<int> kept_bags;
  std::vector<int> kept_sockets;
  std::vector<std::string> kept_names;  // of all of these

  std::vector<int> clients;    // listening TCP sockets; clients are accepted here, and nowhere else
  std::optional<int> control;  // the listening Unix socket named `control` (FileDescriptorName=)

  // Where a descriptor of that name belongs; null if no process of the daemon left it.
  [[nodiscard]] std::vector<int>* kept_under(std::string_view name);
};

// Takes what was handed over; the descriptors are the caller's.  Can be called once.  The error names the
// first socket that is not what its name says: a mistake in a socket unit.
[[nodiscard]] tl::expected<HandedSockets, std::string> take_handed_sockets();

}  // namespace heartbeat
