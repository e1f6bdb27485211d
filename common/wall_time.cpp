#include "common/wall_time.h"

#include <charconv>
#include <cstddef>

namespace heartbeat {
namespace {

// By hand, not by a format string: a list of clients has several instants of each.
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

constexpr std::string_view kPattern = "dddd-dd-ddTdd:dd:dd.dddZ";  // d: a digit; the rest stands for itself

bool is_instant(std::string_view text) {
  if (text.size() != kPattern.size()) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool digit = text[at] >= '0' && text[at] <= '9';
    if (kPattern[at] == 'd' ? !digit : text[at] != kPattern[at]) return false;
  }
  return true;
}

unsigned digits(std::string_view text, std::size_t at, std::size_t count) {
  unsigned value = 0;
  std::from_chars(text.data() + at, text.data() + at + count, value);
  return value;
}

std::chrono::sys_days day_of(WallTime at) {
  return std::chrono::floor<std::chrono::days>(at);
}

}  // namespace

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

std::optional<WallTime> parse_instant(std::string_view text) {
  if (!is_instant(text)) return {};
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(digits(text, 0, 4))},
                                         std::chrono::month{digits(text, 5, 2)},
                                         std::chrono::day{digits(text, 8, 2)}};
  if (!date.ok()) return {};
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{digits(text, 11, 2)} +
         std::chrono::minutes{digits(text, 14, 2)} + std::chrono::seconds{digits(text, 17, 2)} +
         Millis{digits(text, 20, 3)};
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
