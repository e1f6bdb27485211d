// The sockets that a process got from the one whose place it takes, to be found by their cookies.
//
// Each is closed on exec, and belongs to this object until it is taken.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "common/descriptor.h"
#include "daemon/restart/handover.h"

namespace heartbeat {

class InheritedSockets {
 public:
  // All sockets that are open in this process and were not to be closed on exec, but standard input, output
  // and error.  To be called before anything else is opened.
  [[nodiscard]] static InheritedSockets after_exec();

  void add(Descriptor socket);

  [[nodiscard]] std::size_t size() const { return sockets_.size(); }

  // Negative if no socket has that cookie.
  [[nodiscard]] Descriptor take(Handover::Cookie cookie);

  // The numbers of those that accept connections; they stay this object's.
  [[nodiscard]] std::vector<int> listening() const;

  // What is left: connected TCP sockets, of which nothing is known.  Any other socket is closed, also one of
  // a connection that was shut down.
  [[nodiscard]] std::vector<Descriptor> take_connections();

 private:
  std::unordered_map<Handover::Cookie, Descriptor> sockets_;
};

}  // namespace heartbeat
