// Leaves out what clients do while an operator holds them, and the comeback of a client whose loss was left
// out.
//
// A client that is repaired is expected to vanish: its hold is for that, and nobody is to be woken.  What
// happens once the hold is over is told, the close of a client that did not come back among it.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "tools/notify/body_json.h"

namespace heartbeat::notify {

class HoldQuiet {
 public:
  // Of more clients than these the comeback is told: a notice too many, never one too few.
  static constexpr std::size_t kClientsMax = 32'768;

  // Whether the event is left out.  Must be asked about each event, in order.
  [[nodiscard]] bool leaves_out(const EventFacts& facts);

  // Clients whose loss was left out and whose comeback is still to come: for the next process.
  [[nodiscard]] std::vector<std::string> clients() const { return {clients_.begin(), clients_.end()}; }
  void load(const std::vector<std::string>& clients) { clients_ = {clients.begin(), clients.end()}; }

 private:
  std::set<std::string> clients_;
};

}  // namespace heartbeat::notify
