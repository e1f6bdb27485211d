// Slots by a hash of what they are called: one table for all names, whatever they are made of.
//
// Open addressing with linear probing, in entries of 8 bytes.  It holds no names: the caller that looks for
// one says which of the slots with its hash is it.  It grows by half and shrinks again, so that memory
// returns after a burst: between 11 and 32 bytes a slot in use.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace heartbeat {

class SlotIndex {
 public:
  // Makes sure that the next insert() needs no memory.  Without memory, nothing changes.
  void make_room() {
    if (4 * (size_ + 1) > 3 * entries_.size()) resize(entries_.size() + entries_.size() / 2 + kLeast);
  }

  // Makes sure that inserts need no memory until `size` slots are in it.  Out of memory, nothing changes.
  void reserve(std::size_t size) {
    if (4 * size > 3 * entries_.size()) resize(4 * size / 3 + kLeast);
  }

  // The same slot must not be in it already.
  void insert(std::uint32_t hash, std::uint32_t slot) {
    make_room();
    place({slot, hash});
    ++size_;
  }

  // The slot must be in it, under this hash.  Cannot fail, and leaves room for one more.
  void erase(std::uint32_t hash, std::uint32_t slot) {
    std::size_t hole = home(hash);
    while (entries_[hole].slot != slot) {
      assert(entries_[hole].slot != kNobody);
      hole = after(hole);
    }
    // An entry behind the hole that would not be found past it moves up.
    for (std::size_t at = after(hole); entries_[at].slot != kNobody; at = after(at)) {
      if (distance(home(entries_[at].hash), at) < distance(hole, at)) continue;
      entries_[hole] = entries_[at];
      hole = at;
    }
    entries_[hole].slot = kNobody;
    --size_;
    if (entries_.size() > kLeast && 4 * size_ < entries_.size()) shrink();
  }

  // The first slot of that hash for which `is_it(slot)` holds.
  template <class IsIt>
  [[nodiscard]] std::optional<std::uint32_t> find(std::uint32_t hash, const IsIt& is_it) const {
    if (entries_.empty()) return {};
    for (std::size_t at = home(hash); entries_[at].slot != kNobody; at = after(at)) {
      if (entries_[at].hash == hash && is_it(entries_[at].slot)) return entries_[at].slot;
    }
    return {};
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return entries_.size(); }

 private:
  static constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t kLeast = 16;

  struct Entry {
    std::uint32_t slot = kNobody;
    std::uint32_t hash = 0;
  };

  [[nodiscard]] std::size_t home(std::uint32_t hash) const {
    return static_cast<std::size_t>(std::uint64_t{hash} * entries_.size() >> 32U);
  }
  [[nodiscard]] std::size_t after(std::size_t at) const { return at + 1 == entries_.size() ? 0 : at + 1; }
  // How far behind `from` the place `to` is, going round.
  [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const {
    return to >= from ? to - from : to + entries_.size() - from;
  }

  void place(Entry entry) {
    std::size_t at = home(entry.hash);
    while (entries_[at].slot != kNobody) at = after(at);
    entries_[at] = entry;
  }

  void resize(std::size_t capacity) {
    const std::vector<Entry> old = std::exchange(entries_, std::vector<Entry>(capacity));
    for (const Entry& entry : old) {
      if (entry.slot != kNobody) place(entry);
    }
  }

  void shrink() noexcept {
    try {
      resize(entries_.size() / 2);
    } catch (const std::bad_alloc&) {
      // No memory for a smaller table beside this one, which does as well.
    }
  }

  std::vector<Entry> entries_;
  std::size_t size_ = 0;
};

}  // namespace heartbeat
