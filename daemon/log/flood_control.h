// Keeps a flood of events from drowning the log: of each kind a bounded number is logged in a second, and
// the rest of that second is summed up.  Nothing is lost silently: what was not logged is in the sum.
//
// Knows no log and no clock.  A second is one of the machine's clock, and begins with the first event of its
// kind after the one before.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/common.h>

#include "common/mono_time.h"
#include "daemon/core/event.h"

namespace heartbeat {

class FloodControl {
 public:
  // What a second held back.
  struct Sum {
    Event::Kind kind;
    std::uint64_t count = 0;
    spdlog::level::level_enum level = spdlog::level::trace;  // the most severe of them
    std::vector<std::string> first;                          // names of clients, at most limits::kSumNames
    std::array<std::uint64_t, kReasonCount> by_reason{};
  };

  // `per_second`: events of one kind that are logged in a second; 0 for all of them.
  explicit FloodControl(unsigned per_second) : per_second_(per_second) {}
  void set_per_second(unsigned per_second) { per_second_ = per_second; }

  // Whether the event must be logged; if not, it is counted.  The sum of the second before is to have been
  // taken first.
  [[nodiscard]] bool admit(const Event& event, spdlog::level::level_enum level, MonoTime now);

  // The sum of a kind whose second is over at `now`, where something was held back.  Call again until there
  // is none.
  [[nodiscard]] std::optional<Sum> take_sum(MonoTime now);

 private:
  struct Second {
    MonoTime until;
    unsigned told = 0;
    Sum held_back{};
  };

  unsigned per_second_;
  std::array<Second, kEventKindCount> seconds_{};
  std::size_t holding_ = 0;  // kinds that hold something back
};

}  // namespace heartbeat
