#include "daemon/report/timeline.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "common/limits.h"

namespace heartbeat {
namespace {

constexpr Millis kSecond{1000};

}  // namespace

void add_second(JsonWriter& json, const Second& second) {
  json.add("at", format_instant(second.at));
  json.add("alive", second.alive);
  json.add("leave", second.leave);
  json.add("joins", second.joins);
  json.add("leaves", second.leaves);
  json.add("returns", second.returns);
  json.add("closes", second.closes);
  json.add("stalled_ms", second.stalled);
}

void Timeline::sample(MonoTime machine_now, WallTime wall_now, const Monitor& monitor) {
  const std::int64_t running = machine_now.since_origin() / kSecond;
  if (!started_) {
    started_ = true;
    second_ = running;
    before_ = totals_of(monitor);
    return;
  }
  if (running <= second_) return;

  // The stall came before this moment, so the latest seconds are its own; what does not fit into whole
  // seconds is the earliest one's.
  const Totals after = totals_of(monitor);
  const auto ended =
      std::min<std::int64_t>(running - second_, static_cast<std::int64_t>(limits::kHistorySeconds));
  Millis stalled = after.stalled - before_.stalled;
  std::vector<Millis> stalls(static_cast<std::size_t>(ended));
  for (std::size_t second = stalls.size(); second-- > 0;) {
    stalls[second] = std::min(stalled, kSecond);
    stalled -= stalls[second];
  }
  stalls.front() += stalled;

  const StatusCounts clients = monitor.status_counts();
  const WallTime end = wall_now - machine_now.since_origin() % kSecond;
  for (std::int64_t second = 0; second < ended; ++second) {
    const bool last = second + 1 == ended;
    add({.at = end - kSecond * (ended - 1 - second),
         .alive = clients.alive,
         .leave = clients.leave,
         .joins = last ? after.joins - before_.joins : 0,
         .leaves = last ? after.leaves - before_.leaves : 0,
         .returns = last ? after.returns - before_.returns : 0,
         .closes = last ? after.closes - before_.closes : 0,
         .stalled = stalls[static_cast<std::size_t>(second)]});
  }
  second_ = running;
  before_ = after;
}

Timeline::Totals Timeline::totals_of(const Monitor& monitor) {
  const Counters& counters = monitor.counters();
  return {.joins = counters.joins,
          .leaves = counters.leaves,
          .returns = counters.returns,
          .closes = std::accumulate(counters.closes.begin(), counters.closes.end(), std::uint64_t{0}),
          .stalled = counters.stalled};
}

void Timeline::add(const Second& second) {
  if (seconds_.size() == limits::kHistorySeconds) seconds_.pop_front();
  seconds_.push_back(second);
  ++next_;
}

}  // namespace heartbeat
