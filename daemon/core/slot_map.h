// Objects in slots, named by ConnId, in blocks that come and go with them.
//
// An object's address never changes, a million of them are never copied to grow, and a block whose last
// object is gone is given back: after a burst of connections the memory returns.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/core/connection_id.h"

namespace heartbeat {

template <class T>
class SlotMap {
 public:
  template <class... Arguments>
  ConnId insert(Arguments&&... arguments) {
    const std::uint32_t slot = take_slot();
    std::unique_ptr<Block>& block = blocks_[slot / kBlockSize];
    if (block == nullptr) block = std::make_unique<Block>();
    block->items[slot % kBlockSize].emplace(std::forward<Arguments>(arguments)...);
    ++block->used;
    ++size_;
    return {slot, generations_[slot]};
  }

  void erase(std::uint32_t slot) {
    std::unique_ptr<Block>& block = blocks_[slot / kBlockSize];
    assert(block != nullptr && block->items[slot % kBlockSize].has_value());
    block->items[slot % kBlockSize].reset();
    if (--block->used == 0) block.reset();
    ++generations_[slot];
    --size_;
    free_.push_back(slot);
  }

  // The object, or null when that tenant is gone.
  [[nodiscard]] T* find(ConnId id) { return is_there(id) ? at(id.slot) : nullptr; }
  [[nodiscard]] const T* find(ConnId id) const { return is_there(id) ? at(id.slot) : nullptr; }

  // Who lives in the slot; null when nobody does.
  [[nodiscard]] T* at(std::uint32_t slot) { return const_cast<T*>(std::as_const(*this).at(slot)); }  // NOLINT
  [[nodiscard]] const T* at(std::uint32_t slot) const {
    if (slot >= generations_.size()) return nullptr;
    const std::unique_ptr<Block>& block = blocks_[slot / kBlockSize];
    if (block == nullptr) return nullptr;
    const std::optional<T>& item = block->items[slot % kBlockSize];
    return item.has_value() ? &*item : nullptr;
  }

  [[nodiscard]] ConnId id_of(std::uint32_t slot) const { return {slot, generations_[slot]}; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // One past the highest slot ever used: where a walk over all of them ends.
  [[nodiscard]] std::uint32_t slots() const { return static_cast<std::uint32_t>(generations_.size()); }

 private:
  static constexpr std::uint32_t kBlockSize = 256;

  struct Block {
    std::array<std::optional<T>, kBlockSize> items;
    std::uint32_t used = 0;
  };

  [[nodiscard]] bool is_there(ConnId id) const {
    return id.slot < generations_.size() && generations_[id.slot] == id.generation;
  }

  std::uint32_t take_slot() {
    if (!free_.empty()) {
      const std::uint32_t slot = free_.back();
      free_.pop_back();
      return slot;
    }
    const auto slot = static_cast<std::uint32_t>(generations_.size());
    generations_.push_back(0);
    if (slot / kBlockSize == blocks_.size()) blocks_.emplace_back();
    return slot;
  }

  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<std::uint32_t> generations_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace heartbeat
