// Objects in slots, named by ConnId, in blocks that come and go with them.
//
// An object's address never changes, a million of them are never copied to grow, and a block whose last
// object is gone is given back: after a burst of connections the memory returns.
//
// insert() that fails for lack of memory changes nothing; erase() cannot fail.
#pragma once

#include <array>
#include <bitset>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "daemon/core/connection_id.h"

namespace heartbeat {

template <class T>
class SlotMap {
 public:
  template <class... Arguments>
  ConnId insert(Arguments&&... arguments) {
    if (free_.empty()) add_slot();
    const std::uint32_t slot = free_.back();
    std::unique_ptr<Block>& block = blocks_[slot / kBlockSize];
    if (block == nullptr) block = std::unique_ptr<Block>{new Block};  // its room is not to be zeroed
    block->emplace(slot % kBlockSize, std::forward<Arguments>(arguments)...);
    free_.pop_back();
    ++size_;
    return {slot, generations_[slot]};
  }

  void erase(std::uint32_t slot) {
    std::unique_ptr<Block>& block = blocks_[slot / kBlockSize];
    assert(block != nullptr && block->at(slot % kBlockSize) != nullptr);
    block->erase(slot % kBlockSize);
    if (block->is_empty()) block.reset();
    ++generations_[slot];
    --size_;
    free_.push_back(slot);  // there is room
  }

  // Three steps that make the map what another was, in this order.  Each slot with its generation, none of
  // them in use:
  void restore_slots(std::vector<std::uint32_t> generations) {
    assert(generations_.empty());
    free_.reserve(generations.size() + kBlockSize);
    blocks_.resize((generations.size() + kBlockSize - 1) / kBlockSize);
    generations_ = std::move(generations);
  }
  // an object in a slot that is not in use:
  template <class... Arguments>
  void restore(std::uint32_t slot, Arguments&&... arguments) {
    assert(slot < slots() && at(slot) == nullptr);
    std::unique_ptr<Block>& block = blocks_[slot / kBlockSize];
    if (block == nullptr) block = std::unique_ptr<Block>{new Block};
    block->emplace(slot % kBlockSize, std::forward<Arguments>(arguments)...);
    ++size_;
  }
  // and the slots without one, in the order of free().  Returns false if these are others.
  [[nodiscard]] bool restore_free(std::span<const std::uint32_t> free) {
    std::vector<bool> seen(slots());
    for (const std::uint32_t slot : free) {
      if (slot >= slots() || at(slot) != nullptr || seen[slot]) return false;
      seen[slot] = true;
    }
    free_.assign(free.begin(), free.end());
    return size_ + free_.size() == slots();
  }
  // The slots without an object; the next object takes the last of them.
  [[nodiscard]] std::span<const std::uint32_t> free() const { return free_; }

  // The object, or null when that tenant is gone.
  [[nodiscard]] T* find(ConnId id) { return is_there(id) ? at(id.slot) : nullptr; }
  [[nodiscard]] const T* find(ConnId id) const { return is_there(id) ? at(id.slot) : nullptr; }

  // The value in the slot; null when the slot is free.
  [[nodiscard]] T* at(std::uint32_t slot) { return const_cast<T*>(std::as_const(*this).at(slot)); }  // NOLINT
  [[nodiscard]] const T* at(std::uint32_t slot) const {
    if (slot >= generations_.size()) return nullptr;
    const std::unique_ptr<Block>& block = blocks_[slot / kBlockSize];
    return block == nullptr ? nullptr : block->at(slot % kBlockSize);
  }

  [[nodiscard]] ConnId id_of(std::uint32_t slot) const { return {slot, generations_[slot]}; }
  [[nodiscard]] std::size_t size() const { return size_; }

  // One past the highest slot ever used: where a walk over all of them ends.
  [[nodiscard]] std::uint32_t slots() const { return static_cast<std::uint32_t>(generations_.size()); }

 private:
  static constexpr std::uint32_t kBlockSize = 256;

  // Room for objects; which of them there are stands beside, where it costs a bit and not a word.
  class Block {
   public:
    Block() = default;
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    Block(Block&&) = delete;
    Block& operator=(Block&&) = delete;
    ~Block() {
      for (std::uint32_t place = 0; place < kBlockSize; ++place) {
        if (used_.test(place)) erase(place);
      }
    }

    template <class... Arguments>
    void emplace(std::uint32_t place, Arguments&&... arguments) {
      new (&room_.at(place * sizeof(T))) T(std::forward<Arguments>(arguments)...);
      used_.set(place);
    }

    void erase(std::uint32_t place) {
      std::destroy_at(object(place));
      used_.reset(place);
    }

    // Null where the slot is free.
    [[nodiscard]] T* at(std::uint32_t place) { return used_.test(place) ? object(place) : nullptr; }
    [[nodiscard]] bool is_empty() const { return used_.none(); }

   private:
    [[nodiscard]] T* object(std::uint32_t place) {
      return std::launder(reinterpret_cast<T*>(&room_.at(place * sizeof(T))));
    }

    alignas(T) std::array<std::byte, kBlockSize * sizeof(T)> room_;
    std::bitset<kBlockSize> used_;
  };

  [[nodiscard]] bool is_there(ConnId id) const {
    return id.slot < generations_.size() && generations_[id.slot] == id.generation;
  }

  // What fails first leaves at most room that is used the next time.
  void add_slot() {
    const auto slot = static_cast<std::uint32_t>(generations_.size());
    if (slot / kBlockSize == blocks_.size()) blocks_.emplace_back();
    // For every slot, so that erase() need not ask for any.
    if (free_.capacity() <= slot) free_.reserve(2 * std::size_t{slot} + kBlockSize);
    generations_.push_back(0);
    free_.push_back(slot);
  }

  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<std::uint32_t> generations_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace heartbeat
