#include "daemon/core/registry.h"

#include <cassert>

namespace heartbeat {

ConnId Registry::add(const Endpoint& peer, MonoTime accepted) {
  const ConnId conn = clients_.insert(peer, accepted);
  by_peer_.insert(conn.slot);
  return conn;
}

void Registry::remove(std::uint32_t slot) {
  by_peer_.erase(slot);
  unname(slot);
  clients_.erase(slot);
}

void Registry::name(std::uint32_t slot, std::string_view id) {
  assert(clients_.at(slot)->id.empty() && !slot_of(id));
  clients_.at(slot)->id = id;
  by_id_.insert(slot);
}

void Registry::unname(std::uint32_t slot) {
  if (clients_.at(slot)->id.empty()) return;
  by_id_.erase(slot);
  clients_.at(slot)->id.clear();
}

std::optional<std::uint32_t> Registry::slot_named(std::string_view name) const {
  if (const auto slot = slot_of(name)) return slot;
  const auto peer = parse_endpoint(name);
  if (!peer) return {};
  const auto found = by_peer_.find(*peer);
  // A client with an id is called by that, not by its address.
  if (found == by_peer_.end() || !clients_.at(*found)->id.empty()) return {};
  return *found;
}

std::size_t Registry::PeerHash::operator()(const Endpoint& peer) const {
  const std::string_view address{reinterpret_cast<const char*>(peer.address.data()), peer.address.size()};
  return std::hash<std::string_view>{}(address)*31 + peer.port;
}

std::optional<std::uint32_t> Registry::slot_of(std::string_view id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return {};
  return *found;
}

}  // namespace heartbeat
