// Who must be looked at next: for each slot at most one instant, the earliest first.
//
// A heap of four children a node that knows where each slot stands, so that an instant can be moved or taken
// out.  Clients are re-armed a few times per leave window, not per heartbeat, so its logarithm is paid
// rarely. Memory: 20 bytes a slot.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/mono_time.h"

namespace heartbeat {

class Deadlines {
 public:
  // Sets the slot's instant, in place of an earlier one.
  void arm(std::uint32_t slot, MonoTime at);
  void disarm(std::uint32_t slot);

  // The slot's instant; never() when there is none.
  [[nodiscard]] MonoTime of(std::uint32_t slot) const;

  // The earliest instant; never() when there is none.
  [[nodiscard]] MonoTime next() const { return heap_.empty() ? MonoTime::never() : heap_.front().at; }

  // The slot of the earliest instant; there is one.
  [[nodiscard]] std::uint32_t first() const { return heap_.front().slot; }

  // Takes out the earliest slot that is due at `now`.
  [[nodiscard]] std::optional<std::uint32_t> pop_due(MonoTime now);

 private:
  struct Entry {
    MonoTime at;
    std::uint32_t slot;
  };

  void place(std::uint32_t position, Entry entry);
  void sift_up(std::uint32_t position, Entry entry);
  void sift_down(std::uint32_t position, Entry entry);
  void settle(std::uint32_t position, Entry entry);

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> position_;  // by slot, into heap_; kNowhere when not armed
};

}  // namespace heartbeat
