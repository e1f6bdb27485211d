#include "daemon/core/dead_connections.h"

#include <algorithm>

#include "daemon/core/address_counts.h"

namespace heartbeat {

MonoTime dead_from(const Client& client, const Rule& rule) {
  constexpr int kIntervals = 3;
  const Millis silence =
      std::max(rule.tick * ticks_of_a_leave(rule), Millis{std::int64_t{kIntervals} * client.last_gap_ms});
  return std::max({client.liveness.left_at(), client.last_heard + silence, on_hold_until(client)});
}

void DeadConnections::put(std::uint32_t slot, const Endpoint& peer, MonoTime from, bool by_network) {
  remove(slot, peer);
  all_.arm(slot, from);
  if (by_network) by_network_.emplace(AddressCounts::network_of(peer), all_.of(slot), slot);
}

void DeadConnections::remove(std::uint32_t slot, const Endpoint& peer) noexcept {
  const MonoTime from = all_.of(slot);
  if (from == MonoTime::never()) return;
  by_network_.erase({AddressCounts::network_of(peer), from, slot});
  all_.disarm(slot);
}

std::optional<std::uint32_t> DeadConnections::first(MonoTime now) const {
  if (all_.next() > now) return {};
  return all_.first();
}

std::optional<std::uint32_t> DeadConnections::first_from(const Endpoint& peer, MonoTime now) const {
  const Endpoint network = AddressCounts::network_of(peer);
  const auto found = by_network_.lower_bound({network, MonoTime{}, 0});
  if (found == by_network_.end() || std::get<0>(*found) != network || std::get<1>(*found) > now) return {};
  return std::get<2>(*found);
}

}  // namespace heartbeat
