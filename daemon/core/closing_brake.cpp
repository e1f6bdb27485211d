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
  leave_timeout_ = rule.leave_timeout;
  window_ = std::min(std::max(settings.window, 2 * rule.tick), leave_timeout_);
  pause_ = std::min(settings.pause, leave_timeout_);
}

void ClosingBrake::change_settings(const Settings& settings, const Rule& rule, MonoTime now) {
  configure(settings, rule);
  leaves_.clear();
  size_ = 0;
  border_ = {};
  below_ = 0;
  if (!holds()) return;
  held_until_ = std::max(now, std::min(held_until_, held_from_ + pause_));
  spans_.back().until = held_until_;
}

void ClosingBrake::add(MonoTime left) {
  if (!is_on() || left < counted_from_) return;
  ++leaves_[left];
  ++size_;
  if (left < border_) ++below_;
}

void ClosingBrake::remove(MonoTime left) {
  const auto place = leaves_.find(left);
  if (place == leaves_.end()) return;
  if (--place->second == 0) leaves_.erase(place);
  --size_;
  if (left < border_) --below_;
}

bool ClosingBrake::advance(std::size_t connected) {
  if (holds()) {
    end(BrakeEnd::RanOut, held_until_);
    return true;
  }
  const MonoTime first = leaves_.begin()->first;
  const std::size_t concerned = count_below(first + window_);
  const bool too_many = concerned >= settings_.clients_min &&
                        concerned * 100 > std::size_t{settings_.share_percent} * connected;
  too_many ? take_hold(first + leave_timeout_, concerned, connected) : pass_first();
  return too_many;
}

void ClosingBrake::end(BrakeEnd how, MonoTime now) {
  assert(holds());
  held_until_ = now;
  spans_.back().until = now;
  spans_.back().end = how;
  counted_from_ = now;
  leaves_.erase(leaves_.begin(), leaves_.lower_bound(now));
  size_ = below_ = 0;
  for (const auto& [left, clients] : leaves_) size_ += clients;  // at most those that left at this instant
  border_ = {};
}

std::size_t ClosingBrake::waiting(MonoTime now) const {
  if (!holds()) return 0;
  std::size_t count = 0;
  for (const auto& [left, clients] : leaves_) {
    if (left + leave_timeout_ > now) break;
    count += clients;
  }
  return count;
}

// The border moves on with the first leave and never back, as leaves that began before one that was passed
// are not counted: each leave is walked over once.
std::size_t ClosingBrake::count_below(MonoTime border) {
  assert(border >= border_);
  for (auto place = leaves_.lower_bound(border_); place != leaves_.end() && place->first < border; ++place) {
    below_ += place->second;
  }
  border_ = border;
  return below_;
}

// Those whose leave ends first are closed now: nothing is to be counted of them any more.
void ClosingBrake::pass_first() {
  const auto first = leaves_.begin();
  counted_from_ = first->first + kGrain;
  size_ -= first->second;
  below_ -= first->second;
  leaves_.erase(first);
}

void ClosingBrake::take_hold(MonoTime at, std::size_t concerned, std::size_t connected) {
  if (spans_.size() == limits::kBrakesMax) spans_.pop_front();
  spans_.push_back({.from = at, .until = at + pause_, .concerned = concerned, .connected = connected});
  held_from_ = at;
  held_until_ = at + pause_;
  counted_from_at_hold_ = counted_from_;
  ++times_held_;
}

}  // namespace heartbeat
