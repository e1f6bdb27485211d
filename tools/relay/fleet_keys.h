// The names of a fleet's keys in Redis, for writers and readers.  All keys of a node have its
// name as their hash tag, so a cluster keeps them in one slot.
#pragma once

#include <string>
#include <string_view>

#include "tools/relay/fleet_engine.h"

namespace heartbeat::relay {

class FleetKeys {
 public:
  explicit FleetKeys(std::string_view fleet) : prefix_("hb:" + std::string{fleet} + ':') {}

  // A stream with the positions of the node's relay as its ids.
  [[nodiscard]] std::string events(std::string_view node) const { return of_node(node) + "events"; }
  // A hash: client -> row.
  [[nodiscard]] std::string rows(std::string_view node, const Copy& copy) const {
    return of_node(node) + "rows:" + to_string(Position{copy.incarnation, copy.from});
  }
  // A text with a time to live: the summary of a node that is well.
  [[nodiscard]] std::string lease(std::string_view node, std::uint64_t incarnation) const {
    return of_node(node) + "lease:" + std::to_string(incarnation);
  }
  // A stream of orders, with ids of Redis' own.
  [[nodiscard]] std::string inbox(std::string_view node) const { return of_node(node) + "inbox"; }
  // A text: the owner of the id.
  [[nodiscard]] std::string owner(std::string_view id) const { return prefix_ + "id:" + std::string{id}; }
  // A hash: node -> the copy of its rows that counts, also when its lease is gone.
  [[nodiscard]] std::string nodes() const { return prefix_ + "nodes"; }

 private:
  [[nodiscard]] std::string of_node(std::string_view node) const {
    return prefix_ + '{' + std::string{node} + "}:";
  }

  std::string prefix_;
};

}  // namespace heartbeat::relay
