// What happened in each of the last seconds, for charts.  A plain value that reads no clock.
//
// Invariant: at most limits::kHistorySeconds seconds are held; a new one replaces the oldest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "common/json_writer.h"
#include "common/mono_time.h"
#include "common/wall_time.h"
#include "daemon/core/monitor.h"
#include "daemon/core/reason.h"
#include "daemon/report/tally.h"

namespace heartbeat {

struct ReasonCount {
  Reason reason;
  std::uint64_t count;  // at least 1
};

struct Second {
  WallTime at;  // its end
  std::size_t alive;
  std::size_t leave;
  std::uint64_t joins;
  std::uint64_t leaves;
  std::uint64_t returns;
  std::uint64_t closes;
  Millis stalled;  // how much of it the daemon itself was not listening
  // The leaves and closes by their reasons, in the order of the enumeration; empty in nearly every second.
  std::vector<ReasonCount> left_for{};
  std::vector<ReasonCount> closed_for{};
};

// Adds to the object that is open.
void add_second(JsonWriter& json, const Second& second);

class Timeline {
 public:
  // Call it several times a second.  Both instants are the present moment; `machine_now` is of a clock that
  // never stands still.  Seconds without a call, because the daemon was stalled, share that stall, and what
  // happened in them counts for the last one.
  void sample(MonoTime machine_now, WallTime wall_now, const Monitor& monitor, const Tally& tally);

  // Counts the seconds that have ended, from 1; the seconds still held are those from oldest() to before
  // next().
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] std::uint64_t oldest() const { return next_ - seconds_.size(); }
  [[nodiscard]] const Second& at(std::uint64_t number) const { return seconds_[number - oldest()]; }

 private:
  using ByReason = std::array<std::uint64_t, kReasonCount>;
  struct Totals {
    std::uint64_t joins = 0;
    std::uint64_t leaves = 0;
    std::uint64_t returns = 0;
    ByReason left_for{};
    ByReason closed_for{};
    Millis stalled{0};
  };
  [[nodiscard]] static Totals totals_of(const Monitor& monitor, const Tally& tally);
  [[nodiscard]] static std::vector<ReasonCount> difference(const ByReason& after, const ByReason& before);
  void add(Second&& second);

  std::deque<Second> seconds_;
  std::uint64_t next_ = 1;
  std::int64_t second_ = 0;  // the one that is running, of the machine's clock
  bool started_ = false;
  Totals before_;  // at its beginning
};

}  // namespace heartbeat
