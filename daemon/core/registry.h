// The connected clients, found by connection, by id and by observed address.
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
  Registry()
      : by_id_(0, IdHash{&clients_}, IdEqual{&clients_}),
        by_peer_(0, PeerHash{&clients_}, PeerEqual{&clients_}) {}
  Registry(const Registry&) = delete;  // the index refers to the clients by address
  Registry& operator=(const Registry&) = delete;
  Registry(Registry&&) = delete;
  Registry& operator=(Registry&&) = delete;
  ~Registry() = default;

  ConnId add(const Endpoint& peer, MonoTime accepted);
  void remove(std::uint32_t slot);

  // Names the client in the slot, which had no id; nobody else has this one.
  void name(std::uint32_t slot, std::string_view id);
  // Takes its id from the client in the slot, so that another may have it.
  void unname(std::uint32_t slot);

  [[nodiscard]] Client* find(ConnId conn) { return clients_.find(conn); }
  [[nodiscard]] const Client* find(ConnId conn) const { return clients_.find(conn); }
  [[nodiscard]] std::optional<std::uint32_t> slot_of(std::string_view id) const;
  // The client that is called so: by its id, else by its address.
  [[nodiscard]] std::optional<std::uint32_t> slot_named(std::string_view name) const;

  // Walking over all: every slot below slots() holds a client or null.
  [[nodiscard]] Client* at(std::uint32_t slot) { return clients_.at(slot); }
  [[nodiscard]] const Client* at(std::uint32_t slot) const { return clients_.at(slot); }
  [[nodiscard]] ConnId conn_of(std::uint32_t slot) const { return clients_.id_of(slot); }
  [[nodiscard]] std::uint32_t slots() const { return clients_.slots(); }
  [[nodiscard]] std::size_t size() const { return clients_.size(); }

 private:
  // The indices hold slots and read ids and addresses where they are: nothing is kept twice.
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

  struct PeerHash {
    using is_transparent = void;
    const SlotMap<Client>* clients;
    std::size_t operator()(const Endpoint& peer) const;
    std::size_t operator()(std::uint32_t slot) const { return (*this)(clients->at(slot)->peer); }
  };
  // Two listeners may see one address twice, so a slot equals only itself.
  struct PeerEqual {
    using is_transparent = void;
    const SlotMap<Client>* clients;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
    bool operator()(const Endpoint& peer, std::uint32_t slot) const {
      return clients->at(slot)->peer == peer;
    }
    bool operator()(std::uint32_t slot, const Endpoint& peer) const { return (*this)(peer, slot); }
  };

  SlotMap<Client> clients_;
  std::unordered_set<std::uint32_t, IdHash, IdEqual> by_id_;
  std::unordered_set<std::uint32_t, PeerHash, PeerEqual> by_peer_;
};

}  // namespace heartbeat
