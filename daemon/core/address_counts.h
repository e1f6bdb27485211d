// How many clients are connected from each address; counted only where a bound on that is set.
//
// An IPv4 address counts by itself.  Of an IPv6 address the first 64 bits count: that is what one host or one
// customer is given, and within them it may take a new address for every connection.  Link-local addresses
// (fe80::/10) count whole: there, those 64 bits are the same for every host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "common/endpoint.h"
#include "common/keyed_hash.h"

namespace heartbeat {

class AddressCounts {
 public:
  explicit AddressCounts(const HashKey& key = {}) : counts_(0, Hash{key}) {}

  void add(const Endpoint& peer) { ++counts_[network_of(peer)]; }
  void remove(const Endpoint& peer);
  void clear() { counts_.clear(); }

  [[nodiscard]] std::size_t of(const Endpoint& peer) const;
  [[nodiscard]] std::size_t size() const { return counts_.size(); }

  // What counts of the address, without a port.
  [[nodiscard]] static Endpoint network_of(const Endpoint& peer);
  // The same as text: `10.0.0.1`, `2001:db8::/64`.
  [[nodiscard]] static std::string name_of(const Endpoint& peer);

 private:
  struct Hash {
    HashKey key;
    std::size_t operator()(const Endpoint& peer) const;
  };

  std::unordered_map<Endpoint, std::uint32_t, Hash> counts_;
};

}  // namespace heartbeat
