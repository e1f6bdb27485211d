#include "daemon/log/flood_control.h"

#include <algorithm>
#include <utility>

#include "common/limits.h"

namespace heartbeat {

bool FloodControl::admit(const Event& event, spdlog::level::level_enum level, MonoTime now) {
  Second& second = seconds_.at(static_cast<std::size_t>(event.kind));
  if (now >= second.until) {
    second.until = now + limits::kLogSecond;
    second.told = 0;
  }
  if (per_second_ == 0 || second.told < per_second_) {
    ++second.told;
    return true;
  }

  Sum& sum = second.held_back;
  if (sum.count++ == 0) ++holding_;
  sum.kind = event.kind;
  sum.level = std::max(sum.level, level);
  if (sum.first.size() < limits::kSumNames) sum.first.emplace_back(event.client.view());
  ++sum.by_reason.at(static_cast<std::size_t>(event.reason));
  return false;
}

std::optional<FloodControl::Sum> FloodControl::take_sum(MonoTime now) {
  if (holding_ == 0) return {};
  for (Second& second : seconds_) {
    if (second.held_back.count == 0 || now < second.until) continue;
    --holding_;
    return std::exchange(second.held_back, {});
  }
  return {};
}

}  // namespace heartbeat
