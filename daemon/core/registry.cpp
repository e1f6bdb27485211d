#include "daemon/core/registry.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace heartbeat {

std::uint32_t Registry::hash_of(std::string_view bytes) const {
  const std::uint64_t hash = keyed_hash(key_, bytes);
  return static_cast<std::uint32_t>(hash ^ hash >> 32U);
}

std::uint32_t Registry::hash_of(const Endpoint& peer) const {
  std::array<char, sizeof peer.address + sizeof peer.port> bytes{};
  std::copy(peer.address.begin(), peer.address.end(), bytes.begin());
  bytes[sizeof peer.address] = static_cast<char>(peer.port >> 8U);
  bytes[sizeof peer.address + 1] = static_cast<char>(peer.port & 0xFFU);
  return hash_of(std::string_view{bytes.data(), bytes.size()});
}

ConnId Registry::add(const Endpoint& peer, MonoTime accepted) {
  const std::uint32_t hash = hash_of(peer);
  by_address_.make_room(hash);  // nothing can fail when the client is there
  const ConnId conn = clients_.insert(peer, accepted);
  by_address_.insert(hash, conn.slot);
  return conn;
}

bool Registry::restore(std::uint32_t slot, Client&& client) {
  if (slot >= slots() || at(slot) != nullptr || slot_of(client.id.view())) return false;
  const std::uint32_t by_address = hash_of(client.peer);
  const std::uint32_t by_id = hash_of(client.id.view());
  const bool has_id = !client.id.empty();
  by_address_.make_room(by_address);  // nothing can fail when the client is there
  if (has_id) by_id_.make_room(by_id);
  clients_.restore(slot, std::move(client));
  by_address_.insert(by_address, slot);
  if (has_id) by_id_.insert(by_id, slot);
  return true;
}

void Registry::remove(std::uint32_t slot) {
  const Client& client = *clients_.at(slot);
  by_address_.erase(hash_of(client.peer), slot);
  if (!client.id.empty()) by_id_.erase(hash_of(client.id.view()), slot);
  clients_.erase(slot);
}

void Registry::name(std::uint32_t slot, std::string_view id) {
  Client& client = *clients_.at(slot);
  assert(client.id.empty() && !slot_of(id));
  const std::uint32_t hash = hash_of(id);
  by_id_.make_room(hash);
  client.id = id;  // the last thing that can fail
  by_id_.insert(hash, slot);
}

std::optional<std::uint32_t> Registry::slot_named(std::string_view name) const {
  if (const auto slot = slot_of(name)) return slot;
  const auto peer = parse_endpoint(name);
  if (!peer) return {};
  return by_address_.find(hash_of(*peer),
                          [&](std::uint32_t slot) { return clients_.at(slot)->peer == *peer; });
}

std::optional<std::uint32_t> Registry::slot_called(std::string_view name) const {
  const auto slot = slot_named(name);
  return slot && name_of(*at(*slot)) == name ? slot : std::nullopt;
}

std::optional<std::uint32_t> Registry::slot_of(std::string_view id) const {
  if (id.empty()) return {};
  return by_id_.find(hash_of(id), [&](std::uint32_t slot) { return clients_.at(slot)->id == id; });
}

}  // namespace heartbeat
