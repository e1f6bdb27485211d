#include "daemon/core/deadlines.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace heartbeat {
namespace {

constexpr std::uint32_t kNowhere = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kChildren = 4;

}  // namespace

Deadlines::Entry Deadlines::entry(std::uint32_t slot, MonoTime at) {
  constexpr std::int64_t kLast = (std::int64_t{1} << (64 - kSlotBits)) - 1;
  assert(slot < kSlotsMax);
  const std::int64_t millis = std::clamp<std::int64_t>(at.since_origin().count(), 0, kLast);
  return static_cast<Entry>(millis) << kSlotBits | slot;
}

void Deadlines::arm(std::uint32_t slot, MonoTime at) {
  if (slot >= position_.size()) position_.resize(slot + 1, kNowhere);
  if (position_[slot] == kNowhere) {
    heap_.push_back(entry(slot, at));
    sift_up(static_cast<std::uint32_t>(heap_.size() - 1), heap_.back());
  } else {
    settle(position_[slot], entry(slot, at));
  }
}

void Deadlines::disarm(std::uint32_t slot) {
  if (slot >= position_.size() || position_[slot] == kNowhere) return;
  const std::uint32_t hole = position_[slot];
  position_[slot] = kNowhere;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (slot_of(last) != slot) settle(hole, last);
}

MonoTime Deadlines::of(std::uint32_t slot) const {
  const bool armed = slot < position_.size() && position_[slot] != kNowhere;
  return armed ? instant_of(heap_[position_[slot]]) : MonoTime::never();
}

void Deadlines::place(std::uint32_t position, Entry entry) {
  heap_[position] = entry;
  position_[slot_of(entry)] = position;
}

// Puts the entry into the hole at `position`, or wherever the heap wants it from there.
void Deadlines::settle(std::uint32_t position, Entry entry) {
  const bool rises = position > 0 && entry < heap_[(position - 1) / kChildren];
  rises ? sift_up(position, entry) : sift_down(position, entry);
}

void Deadlines::sift_up(std::uint32_t position, Entry entry) {
  while (position > 0) {
    const std::uint32_t parent = (position - 1) / kChildren;
    if (heap_[parent] <= entry) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void Deadlines::sift_down(std::uint32_t position, Entry entry) {
  const auto size = static_cast<std::uint32_t>(heap_.size());
  for (;;) {
    const std::uint32_t first = position * kChildren + 1;
    std::uint32_t earliest = position;
    Entry least = entry;
    for (std::uint32_t child = first; child < first + kChildren && child < size; ++child) {
      if (heap_[child] < least) {
        earliest = child;
        least = heap_[child];
      }
    }
    if (earliest == position) break;
    place(position, least);
    position = earliest;
  }
  place(position, entry);
}

}  // namespace heartbeat
