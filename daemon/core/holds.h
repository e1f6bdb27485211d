// Holds: clients that an operator works on, which must not be closed for silence meanwhile.
//
// A hold names clients by a pattern for their names.  They are judged, counted and shown as ever; only a
// leave that would end in a close before the hold does lasts until the end of the hold.  A connection that
// ends for another reason is closed as ever, and its event says that the client was held.
//
// A hold ends by itself: its length is required, and at most limits::kHoldMax.  The close of a leave that is
// overdue then comes at the end of the hold, to the millisecond.
//
// Knows no client: the monitor keeps with each client until when it is on hold (client_terms.h), so that
// nothing is matched while a client is judged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mono_time.h"
#include "daemon/core/group.h"

namespace heartbeat {

struct Hold {
  NamePattern clients{};
  std::string why{};      // printable, at most limits::kHoldWhyMax bytes
  std::uint32_t uid = 0;  // of the operator
  MonoTime since{};
  MonoTime until{};
};

class Holds {
 public:
  // In place of an earlier hold of the same pattern.  Returns false, and changes nothing, where
  // limits::kHoldsMax others last.
  [[nodiscard]] bool put(Hold&& hold);
  // The hold of exactly this pattern ends; nothing: there was none.
  std::optional<Hold> take(std::string_view pattern);
  // The hold that ends first, which there must be, ends.
  Hold take_first();

  // When the first hold ends; never() where there is none.
  [[nodiscard]] MonoTime next() const { return next_; }
  // Of the holds that last at that instant and name this client, the one that ends last; null: none.
  [[nodiscard]] const Hold* find(std::string_view client, MonoTime at) const;

  // In the order in which they began.
  [[nodiscard]] const std::vector<Hold>& all() const { return holds_; }

 private:
  friend struct SavedFields;  // saved_state.cpp lists the members that survive a restart

  void find_next() noexcept;

  std::vector<Hold> holds_;
  MonoTime next_ = MonoTime::never();
};

}  // namespace heartbeat
