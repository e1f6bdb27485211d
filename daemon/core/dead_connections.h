// Which connections may be given up for a newcomer, the one that may be given up the longest first.
//
// A client is dead for this purpose while it is in leave and has been silent for as long as makes a leave,
// and for three of its own intervals, so that a client that beats slower than the tick is not taken for dead.
// While an operator holds it, it is not dead either.
// The rule does not change: a dead client may come back on its connection for the whole leave timeout, as
// long as no other connection needs the place.
//
// Knows no client: the monitor puts each client in leave in, whenever it arms that client's deadline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>

#include "common/endpoint.h"
#include "common/mono_time.h"
#include "daemon/core/client.h"
#include "daemon/core/deadlines.h"
#include "daemon/core/rule.h"

namespace heartbeat {

// The instant from which a client in leave may be given up if nothing more is heard of it.
[[nodiscard]] MonoTime dead_from(const Client& client, const Rule& rule);

class DeadConnections {
 public:
  // The client in the slot may be given up from then on; in place of an earlier instant.  `by_network`: it
  // can be found by its peer's network, too (AddressCounts).  Out of memory, it throws, and the client may be
  // missing.
  void put(std::uint32_t slot, const Endpoint& peer, MonoTime from, bool by_network);
  void remove(std::uint32_t slot, const Endpoint& peer) noexcept;

  // The slot of the client that may have been given up the longest by `now`: of all, or of the peer's
  // network.
  [[nodiscard]] std::optional<std::uint32_t> first(MonoTime now) const;
  [[nodiscard]] std::optional<std::uint32_t> first_from(const Endpoint& peer, MonoTime now) const;

 private:
  Deadlines all_;
  std::set<std::tuple<Endpoint, MonoTime, std::uint32_t>> by_network_;
};

}  // namespace heartbeat
