#include "daemon/core/address_counts.h"

#include <algorithm>
#include <cassert>
#include <string_view>

namespace heartbeat {
namespace {

constexpr std::size_t kPrefixBytes = 8;

bool counts_by_prefix(const Endpoint& peer) {
  if (peer.family == Endpoint::Family::V4) return false;
  const bool is_link_local = peer.address[0] == 0xFE && (peer.address[1] & 0xC0U) == 0x80;
  return !is_link_local;
}

}  // namespace

void AddressCounts::remove(const Endpoint& peer) {
  const auto found = counts_.find(network_of(peer));
  assert(found != counts_.end());
  if (--found->second == 0) counts_.erase(found);
}

std::size_t AddressCounts::of(const Endpoint& peer) const {
  const auto found = counts_.find(network_of(peer));
  return found == counts_.end() ? 0 : found->second;
}

std::string AddressCounts::name_of(const Endpoint& peer) {
  return address_string(network_of(peer)) + (counts_by_prefix(peer) ? "/64" : "");
}

Endpoint AddressCounts::network_of(const Endpoint& peer) {
  Endpoint key = peer;
  key.port = 0;
  if (counts_by_prefix(peer)) std::fill(key.address.begin() + kPrefixBytes, key.address.end(), 0);
  return key;
}

std::size_t AddressCounts::Hash::operator()(const Endpoint& peer) const {
  const std::string_view address{reinterpret_cast<const char*>(peer.address.data()), peer.address.size()};
  return keyed_hash(key, address);
}

}  // namespace heartbeat
