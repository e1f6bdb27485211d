// Which client must be looked at next: for each slot at most one instant, the earliest first.
//
// A heap of four children a node that knows where each slot stands, so that an instant can be moved or taken
// out.  Clients are re-armed a few times per leave window, not per heartbeat, so its logarithm is paid
// rarely.  An instant and its slot are one number, so that four children share half a cache line.
// Memory: 12 bytes a slot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/limits.h"
#include "common/mono_time.h"

namespace heartbeat {

class Deadlines {
 public:
  static constexpr std::uint32_t kSlotsMax = 1U << 24U;

  // Sets the slot's instant, in place of an earlier one.  The slot is below kSlotsMax; of an instant before
  // the clock's origin the origin is kept, and of one that is 34 years after it the last that can be.
  void arm(std::uint32_t slot, MonoTime at);
  void disarm(std::uint32_t slot);

  // The slot's instant; never() when it has none.
  [[nodiscard]] MonoTime of(std::uint32_t slot) const;

  // The earliest instant; never() when no slot has one.
  [[nodiscard]] MonoTime next() const {
    return heap_.empty() ? MonoTime::never() : instant_of(heap_.front());
  }

  // The slot of the earliest instant; there is one.
  [[nodiscard]] std::uint32_t first() const { return slot_of(heap_.front()); }

 private:
  // The instant in the upper 40 bits, the slot in the lower 24: of one instant the lower slot comes first.
  using Entry = std::uint64_t;
  static constexpr unsigned kSlotBits = 24;
  static_assert(limits::kClientsMax <= kSlotsMax);

  [[nodiscard]] static Entry entry(std::uint32_t slot, MonoTime at);
  [[nodiscard]] static std::uint32_t slot_of(Entry entry) {
    return static_cast<std::uint32_t>(entry % kSlotsMax);
  }
  [[nodiscard]] static MonoTime instant_of(Entry entry) {
    return MonoTime{Millis{static_cast<std::int64_t>(entry >> kSlotBits)}};
  }

  void place(std::uint32_t position, Entry entry);
  void sift_up(std::uint32_t position, Entry entry);
  void sift_down(std::uint32_t position, Entry entry);
  void settle(std::uint32_t position, Entry entry);

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> position_;  // by slot, into heap_; kNowhere when not armed
};

}  // namespace heartbeat
