// The connected clients, found by connection, by id and by observed address.
//
// Invariant: an id belongs to at most one connected client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "common/keyed_hash.h"
#include "daemon/core/client.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/sharded_slot_index.h"
#include "daemon/core/slot_map.h"

namespace heartbeat {

class Registry {
 public:
  // The key is for the index of names.
  explicit Registry(const HashKey& key) : key_(key) {}

  // Each but remove() may fail for lack of memory, and then changes nothing.
  ConnId add(const Endpoint& peer, MonoTime accepted);
  void remove(std::uint32_t slot);

  // Names the client in the slot, which had no id; no other client has this id.
  void name(std::uint32_t slot, std::string_view id);

  // Three steps that make the registry what another was, see SlotMap.  restore() returns false, and changes
  // nothing, if there is no such slot, if it is in use, or if another client has the id.
  void restore_slots(std::vector<std::uint32_t> generations) {
    clients_.restore_slots(std::move(generations));
  }
  [[nodiscard]] bool restore(std::uint32_t slot, Client&& client);
  [[nodiscard]] bool restore_free(std::span<const std::uint32_t> free) { return clients_.restore_free(free); }
  [[nodiscard]] std::span<const std::uint32_t> free_slots() const { return clients_.free(); }

  [[nodiscard]] Client* find(ConnId conn) { return clients_.find(conn); }
  [[nodiscard]] const Client* find(ConnId conn) const { return clients_.find(conn); }
  [[nodiscard]] std::optional<std::uint32_t> slot_of(std::string_view id) const;
  // The client with this id; else the client at this address, whether it has an id or not: to look at.
  [[nodiscard]] std::optional<std::uint32_t> slot_named(std::string_view name) const;
  // The client whose name this is (name_of()): its id, or its address as long as it has none.  For an order
  // such as a kick: an address may be another client's by now, a name is not.
  [[nodiscard]] std::optional<std::uint32_t> slot_called(std::string_view name) const;

  // Walking over all: every slot below slots() holds a client or null.
  [[nodiscard]] Client* at(std::uint32_t slot) { return clients_.at(slot); }
  [[nodiscard]] const Client* at(std::uint32_t slot) const { return clients_.at(slot); }
  [[nodiscard]] ConnId conn_of(std::uint32_t slot) const { return clients_.id_of(slot); }
  [[nodiscard]] std::uint32_t slots() const { return clients_.slots(); }
  [[nodiscard]] std::size_t size() const { return clients_.size(); }

 private:
  [[nodiscard]] std::uint32_t hash_of(std::string_view bytes) const;
  [[nodiscard]] std::uint32_t hash_of(const Endpoint& peer) const;

  HashKey key_;
  SlotMap<Client> clients_;
  ShardedSlotIndex by_id_;       // the clients that have an id
  ShardedSlotIndex by_address_;  // all clients
};

}  // namespace heartbeat
