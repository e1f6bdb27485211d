// A SlotIndex for very many slots, in shards that grow and shrink each by itself.
//
// One table of a million slots that grows or shrinks moves all of them in one call, and verdicts wait for 10
// ms. A shard holds a 64th of the slots, so that a call moves at most about 16 000 of a million.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>

#include "daemon/core/slot_index.h"

namespace heartbeat {

class ShardedSlotIndex {
 public:
  static constexpr std::size_t kShards = 64;

  // Makes sure that the next insert() under this hash needs no memory.  Without memory, nothing changes.
  void make_room(std::uint32_t hash) { shard_of(hash).make_room(); }

  // As SlotIndex's.
  void insert(std::uint32_t hash, std::uint32_t slot) { shard_of(hash).insert(hash, slot); }
  void erase(std::uint32_t hash, std::uint32_t slot) { shard_of(hash).erase(hash, slot); }
  template <class IsIt>
  [[nodiscard]] std::optional<std::uint32_t> find(std::uint32_t hash, const IsIt& is_it) const {
    return shards_[hash % kShards].find(hash, is_it);
  }

  [[nodiscard]] std::size_t capacity() const {
    return std::accumulate(shards_.begin(), shards_.end(), std::size_t{0},
                           [](std::size_t sum, const SlotIndex& shard) { return sum + shard.capacity(); });
  }

 private:
  // By the low bits of the hash, as a SlotIndex places a slot by the high ones.
  [[nodiscard]] SlotIndex& shard_of(std::uint32_t hash) { return shards_[hash % kShards]; }

  std::array<SlotIndex, kShards> shards_;
};

}  // namespace heartbeat
