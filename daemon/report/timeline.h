// What happened in each of the last seconds, for who wants to draw it.  A plain value that reads no clock.
//
// Bounded: limits::kHistorySeconds of them, the oldest is let go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "common/json_writer.h"
#include "common/mono_time.h"
#include "common/wall_time.h"
#include "daemon/core/monitor.h"

namespace heartbeat {

struct Second {
  WallTime at;  // its end
  std::size_t alive;
  std::size_t leave;
  std::uint64_t joins;
  std::uint64_t leaves;
  std::uint64_t returns;
  std::uint64_t closes;
  Millis stalled;  // how much of it the daemon itself was not listening
};

// Adds to the object that is open.
void add_second(JsonWriter& json, const Second& second);

class Timeline {
 public:
  // To be called several times a second; both of this moment, the first on a clock that never stands still.
  // Seconds that went by without a call, because the daemon was stalled, get that stall, and what happened
  // counts for the last of them.
  void sample(MonoTime machine_now, WallTime wall_now, const Monitor& monitor);

  // Counts the seconds that have ended, from 1; the seconds still held are those from oldest() to before
  // next().
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] std::uint64_t oldest() const { return next_ - seconds_.size(); }
  [[nodiscard]] const Second& at(std::uint64_t number) const { return seconds_[number - oldest()]; }

 private:
  struct Totals {
    std::uint64_t joins = 0;
    std::uint64_t leaves = 0;
    std::uint64_t returns = 0;
    std::uint64_t closes = 0;
    Millis stalled{0};
  };
  [[nodiscard]] static Totals totals_of(const Monitor& monitor);
  void add(const Second& second);

  std::deque<Second> seconds_;
  std::uint64_t next_ = 1;
  std::int64_t second_ = 0;  // the one that is running, of the machine's clock
  bool started_ = false;
  Totals before_;  // at its beginning
};

}  // namespace heartbeat
