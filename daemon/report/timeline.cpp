#include "daemon/report/timeline.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/limits.h"

namespace heartbeat {
namespace {

constexpr Millis kSecond{1000};

void add_reasons(JsonWriter& json, std::string_view key, const std::vector<ReasonCount>& reasons) {
  if (reasons.empty()) return;
  json.begin_object(key);
  for (const ReasonCount& of : reasons) json.add(to_string(of.reason), of.count);
  json.end_object();
}

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
  add_reasons(json, "left_for", second.left_for);
  add_reasons(json, "closed_for", second.closed_for);
}

void Timeline::sample(MonoTime machine_now, WallTime wall_now, const Monitor& monitor, const Tally& tally) {
  const std::int64_t running = machine_now.since_origin() / kSecond;
  if (!started_) {
    started_ = true;
    second_ = running;
    before_ = totals_of(monitor, tally);
    return;
  }
  if (running <= second_) return;

  // The stall came before this moment, so the latest seconds are its own; what does not fit into whole
  // seconds is the earliest one's.
  const Totals after = totals_of(monitor, tally);
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
  for (std::int64_t second = 0; second + 1 < ended; ++second) {
    add({.at = end - kSecond * (ended - 1 - second),
         .alive = clients.alive,
         .leave = clients.leave,
         .joins = 0,
         .leaves = 0,
         .returns = 0,
         .closes = 0,
         .stalled = stalls[static_cast<std::size_t>(second)]});
  }
  std::vector<ReasonCount> closed_for = difference(after.closed_for, before_.closed_for);
  const std::uint64_t closes =
      std::accumulate(closed_for.begin(), closed_for.end(), std::uint64_t{0},
                      [](std::uint64_t sum, const ReasonCount& of) { return sum + of.count; });
  add({.at = end,
       .alive = clients.alive,
       .leave = clients.leave,
       .joins = after.joins - before_.joins,
       .leaves = after.leaves - before_.leaves,
       .returns = after.returns - before_.returns,
       .closes = closes,
       .stalled = stalls.back(),
       .left_for = difference(after.left_for, before_.left_for),
       .closed_for = std::move(closed_for)});
  second_ = running;
  before_ = after;
}

Timeline::Totals Timeline::totals_of(const Monitor& monitor, const Tally& tally) {
  const Counters& counters = monitor.counters();
  Totals totals{.joins = counters.joins,
                .leaves = counters.leaves,
                .returns = counters.returns,
                .closed_for = counters.closes,
                .stalled = counters.stalled};
  for (std::size_t at = 0; at < kReasonCount; ++at) {
    totals.left_for.at(at) = tally.transitions(Status::Alive, Status::Leave, static_cast<Reason>(at));
  }
  return totals;
}

std::vector<ReasonCount> Timeline::difference(const ByReason& after, const ByReason& before) {
  std::vector<ReasonCount> found;
  for (std::size_t at = 0; at < kReasonCount; ++at) {
    if (after.at(at) > before.at(at))
      found.push_back({static_cast<Reason>(at), after.at(at) - before.at(at)});
  }
  return found;
}

void Timeline::add(Second&& second) {
  if (seconds_.size() == limits::kHistorySeconds) seconds_.pop_front();
  seconds_.push_back(std::move(second));
  ++next_;
}

}  // namespace heartbeat
