#include "daemon/report/wall_clock.h"

#include <algorithm>
#include <iterator>

#include "common/limits.h"

namespace heartbeat {
namespace {

// By hand, not by a format string: a list of clients tells several instants of each.
void append_digits(std::string& out, unsigned value, unsigned digits) {
  out.append(digits, '0');
  for (std::size_t at = out.size(); digits > 0; --digits, value /= 10) {
    out[--at] = static_cast<char>('0' + value % 10);
  }
}

void append_date(std::string& out, std::chrono::sys_days day) {
  const std::chrono::year_month_day date{day};
  append_digits(out, static_cast<unsigned>(int{date.year()}), 4);
  out += '-';
  append_digits(out, unsigned{date.month()}, 2);
  out += '-';
  append_digits(out, unsigned{date.day()}, 2);
}

void append_time(std::string& out, Millis since_midnight) {
  const auto seconds = static_cast<unsigned>(since_midnight.count() / 1000);
  append_digits(out, seconds / 3600, 2);
  out += ':';
  append_digits(out, seconds / 60 % 60, 2);
  out += ':';
  append_digits(out, seconds % 60, 2);
}

std::chrono::sys_days day_of(WallTime at) {
  return std::chrono::floor<std::chrono::days>(at);
}

}  // namespace

void WallClock::agree(WallTime wall_now, MonoTime now) {
  const Millis ahead = wall_now.time_since_epoch() - now.since_origin();
  if (std::chrono::abs(ahead - steps_.back().ahead) <= limits::kWallDriftMax) return;
  if (steps_.size() == limits::kWallStepsMax) steps_.pop_front();
  steps_.push_back({now, ahead});
}

WallTime WallClock::at(MonoTime instant) const {
  const auto after = std::upper_bound(steps_.begin(), steps_.end(), instant,
                                      [](MonoTime of, const Step& step) { return of < step.from; });
  const Step& step = after == steps_.begin() ? *after : *std::prev(after);
  return WallTime{instant.since_origin() + step.ahead};
}

std::string format_instant(WallTime at) {
  const auto day = day_of(at);
  std::string text;
  append_date(text, day);
  text += 'T';
  append_time(text, at - day);
  text += '.';
  append_digits(text, static_cast<unsigned>((at - day).count() % 1000), 3);
  text += 'Z';
  return text;
}

std::string format_for_sentence(WallTime at, WallTime today) {
  const auto day = day_of(at);
  std::string text;
  if (day != day_of(today)) {
    append_date(text, day);
    text += ' ';
  }
  append_time(text, at - day);
  text += " UTC";
  return text;
}

}  // namespace heartbeat
