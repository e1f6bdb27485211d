// The connected clients, found by connection and by id.
//
// Invariant: an id belongs to at most one connected client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_set>

#include "daemon/core/client.h"
#include "daemon/core/connection_id.h"
#include "daemon/core/slot_map.h"

namespace heartbeat {

class Registry {
 public:
  Registry() : by_id_(0, IdHash{&clients_}, IdEqual{&clients_}) {}
  Registry(const Registry&) = delete;  // the index refers to the clients by address
  Registry& operator=(const Registry&) = delete;
  Registry(Registry&&) = delete;
  Registry& operator=(Registry&&) = delete;
  ~Registry() = default;

  ConnId add(const Endpoint& peer, MonoTime accepted) { return clients_.insert(peer, accepted); }
  void remove(std::uint32_t slot);

  // Names the client in the slot, which had no id; nobody else has this one.
  void name(std::uint32_t slot, std::string_view id);
  // Takes its id from the client in the slot, so that another may have it.
  void unname(std::uint32_t slot);

  [[nodiscard]] Client* find(ConnId conn) { return clients_.find(conn); }
  [[nodiscard]] std::optional<std::uint32_t> slot_of(std::string_view id) const;

  // Walking over all: every slot below slots() holds a client or null.
  [[nodiscard]] Client* at(std::uint32_t slot) { return clients_.at(slot); }
  [[nodiscard]] const Client* at(std::uint32_t slot) const { return clients_.at(slot); }
  [[nodiscard]] ConnId conn_of(std::uint32_t slot) const { return clients_.id_of(slot); }
  [[nodiscard]] std::uint32_t slots() const { return clients_.slots(); }
  [[nodiscard]] std::size_t size() const { return clients_.size(); }

 private:
  // The index holds slots and reads the ids where they are: no id is kept twice.
  struct IdHash {
    using is_transparent = void;
    const SlotMap<Client>* clients;
    std::size_t operator()(std::string_view id) const { return std::hash<std::string_view>{}(id); }
    std::size_t operator()(std::uint32_t slot) const { return (*this)(clients->at(slot)->id); }
  };
  struct IdEqual {
    using is_transparent = void;
    const SlotMap<Client>* clients;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(std::string_view id, std::uint32_t slot) const { return clients->at(slot)->id == id; }
    bool operator()(std::uint32_t slot, std::string_view id) const { return (*this)(id, slot); }
  };

  SlotMap<Client> clients_;
  std::unordered_set<std::uint32_t, IdHash, IdEqual> by_id_;
};

}  // namespace heartbeat
