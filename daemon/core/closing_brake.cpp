#include "daemon/core/closing_brake.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace heartbeat {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 4> kEnds{"ran_out", "confirmed", "released", "turned_off"};

constexpr Millis kGrain{1};  // the next instant

}  // namespace

std::string_view to_string(BrakeEnd end) {
  return kEnds.at(static_cast<std::size_t>(end));
}

void ClosingBrake::configure(const Settings& settings, const Rule& rule) {
  settings_ = settings;
  window_ = std::min(std::max(settings.window, 2 * rule.tick), rule.leave_timeout);
  pause_ = std::min(settings.pause, rule.leave_timeout);
}

void ClosingBrake::change_settings(const Settings& settings, const Rule& rule, MonoTime now) {
  configure(settings, rule);
  border_ = {};  // the window may be shorter: the next count begins anew
  below_ = 0;
  if (!holds()) return;
  state_.held_until = std::max(now, std::min(state_.held_until, state_.held_from + pause_));
  state_.spans.back().until = state_.held_until;
}

void ClosingBrake::add(const SilentLeave& leave) {
  if (leave.began < state_.counted_from || leave.ends < state_.passed) return;
  ++leaves_[leave];
  if (leave.ends < border_) ++below_;
}

void ClosingBrake::remove(const SilentLeave& leave) {
  const auto place = leaves_.find(leave);
  if (place == leaves_.end()) return;
  if (--place->second == 0) leaves_.erase(place);
  if (leave.ends < border_) --below_;
}

bool ClosingBrake::advance(std::size_t connected) {
  if (holds()) {
    end(BrakeEnd::RanOut, state_.held_until);
    return true;
  }
  const MonoTime first = leaves_.begin()->first.ends;
  const std::size_t concerned = count_below(first + window_);
  const bool too_many = concerned >= settings_.clients_min &&
                        concerned * 100 > std::size_t{settings_.share_percent} * connected;
  too_many ? take_hold(first, concerned, connected) : pass_first();
  return too_many;
}

void ClosingBrake::end(BrakeEnd how, MonoTime now) {
  assert(holds());
  state_.held_until = now;
  state_.spans.back().until = now;
  state_.spans.back().end = how;
  state_.counted_from = now;
  std::erase_if(leaves_, [now](const auto& leave) { return leave.first.began < now; });
  below_ = 0;
  border_ = {};
}

std::size_t ClosingBrake::waiting(MonoTime now) const {
  if (!holds()) return 0;
  std::size_t count = 0;
  for (const auto& [leave, clients] : leaves_) {
    if (leave.ends > now) break;
    count += clients;
  }
  return count;
}

// The border moves on with the first leave and never back, as leaves that end before a passed one are not
// counted.  So each leave is walked over once, whatever the number of counts.
std::size_t ClosingBrake::count_below(MonoTime border) {
  assert(border >= border_);
  for (auto place = leaves_.lower_bound({.ends = border_, .began = {}});
       place != leaves_.end() && place->first.ends < border; ++place) {
    below_ += place->second;
  }
  border_ = border;
  return below_;
}

// The clients whose leave ends first are closed now, and no longer counted.
void ClosingBrake::pass_first() {
  state_.passed = leaves_.begin()->first.ends + kGrain;
  while (!leaves_.empty() && leaves_.begin()->first.ends < state_.passed) {
    below_ -= leaves_.begin()->second;
    leaves_.erase(leaves_.begin());
  }
}

void ClosingBrake::take_hold(MonoTime at, std::size_t concerned, std::size_t connected) {
  if (state_.spans.size() == limits::kBrakesMax) state_.spans.pop_front();
  state_.spans.push_back({.from = at, .until = at + pause_, .concerned = concerned, .connected = connected});
  state_.held_from = at;
  state_.held_until = at + pause_;
  state_.counted_from_at_hold = state_.counted_from;
  ++state_.times_held;
}

}  // namespace heartbeat
