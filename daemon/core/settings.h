// What the core can be set to.
#pragma once

#include <cstddef>

#include "common/limits.h"
#include "daemon/core/bounds.h"
#include "daemon/core/closing_brake.h"
#include "daemon/core/group.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// Connections over max_clients or max_clients_per_ip that have not sent a heartbeat yet.  Programs that come
// back after an outage take milliseconds from the accept to their first heartbeat, so few are enough.
inline constexpr std::size_t kNewcomersMax = 32;

// Of these, from one address: a peer that opens connections and sends nothing holds places for newcomers
// until hello_timeout.  A quarter leaves the others places enough.
inline constexpr std::size_t kNewcomersPerAddressMax = kNewcomersMax / 4;

struct Settings {
  Rule rule{};
  std::size_t clients_max = limits::kClientsDefault;
  std::size_t newcomers_max = kNewcomersMax;  // over a bound, until their first heartbeat
  std::size_t newcomers_per_address_max = kNewcomersPerAddressMax;
  std::size_t frame_max = limits::kFrameMax;  // bytes of a body
  std::size_t remember = limits::kRememberDefault;
  ClosingBrake::Settings brake{};
  bool report_heartbeats = false;  // an event for each heartbeat: for the debug mode
  Bounds bounds{};
  GroupList groups{};  // the other members hold for the clients that are in no group

  [[nodiscard]] const Rule& rule_of(GroupNumber number) const {
    const Group* const group = groups.find(number);
    return group == nullptr ? rule : group->rule;
  }
  // The rule with the shortest tick that a client can have: how finely the daemon must keep time.
  [[nodiscard]] Rule finest_rule() const;
  // No leave of any client is shorter.
  [[nodiscard]] Millis shortest_leave() const;

  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace heartbeat
