#include "tools/ctl/time_text.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <ctime>

namespace heartbeat::ctl {
namespace {

constexpr std::string_view kPattern = "dddd-dd-ddTdd:dd:dd.dddZ";  // d: a digit; the rest stands for itself

bool is_instant(std::string_view text) {
  if (text.size() != kPattern.size()) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool digit = text[at] >= '0' && text[at] <= '9';
    if (kPattern[at] == 'd' ? !digit : text[at] != kPattern[at]) return false;
  }
  return true;
}

int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  std::from_chars(text.data() + at, text.data() + at + count, value);
  return value;
}

std::optional<std::tm> local(std::string_view instant) {
  const auto since_epoch = parse_instant(instant);
  if (!since_epoch) return {};
  const std::time_t seconds = since_epoch->count() / 1000;
  std::tm broken_down{};
  if (localtime_r(&seconds, &broken_down) == nullptr) return {};
  return broken_down;
}

std::string formatted(const std::tm& time, const char* format) {
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &time)};
}

std::string two_units(std::int64_t large, const char* large_unit, std::int64_t small,
                      const char* small_unit) {
  std::string text = std::to_string(large) + large_unit;
  if (small != 0) text += std::to_string(small) + small_unit;
  return text;
}

}  // namespace

std::optional<Millis> parse_instant(std::string_view text) {
  if (!is_instant(text)) return {};
  std::tm time{};
  time.tm_year = digits(text, 0, 4) - 1900;
  time.tm_mon = digits(text, 5, 2) - 1;
  time.tm_mday = digits(text, 8, 2);
  time.tm_hour = digits(text, 11, 2);
  time.tm_min = digits(text, 14, 2);
  time.tm_sec = digits(text, 17, 2);
  return Millis{std::int64_t{timegm(&time)} * 1000 + digits(text, 20, 3)};
}

std::string local_time(std::string_view instant) {
  const auto time = local(instant);
  if (!time) return std::string{instant};
  return formatted(*time, "%Y-%m-%d %H:%M:%S") + std::string{instant.substr(19, 4)};
}

std::string zone_at(std::string_view instant) {
  const auto time = local(instant);
  return time ? formatted(*time, "%Z") : std::string{};
}

std::string in_local_time(std::string_view sentence) {
  const std::time_t now = std::time(nullptr);
  std::tm today{};
  localtime_r(&now, &today);
  std::string text;
  while (!sentence.empty()) {
    const auto time = local(sentence.substr(0, kPattern.size()));
    if (!time) {
      text += sentence.front();
      sentence.remove_prefix(1);
      continue;
    }
    const bool is_today = time->tm_year == today.tm_year && time->tm_yday == today.tm_yday;
    text += formatted(*time, is_today ? "%H:%M:%S %Z" : "%Y-%m-%d %H:%M:%S %Z");
    sentence.remove_prefix(kPattern.size());
  }
  return text;
}

std::string span_text(Millis span) {
  const std::int64_t millis = span.count();
  const std::int64_t seconds = millis / 1000;
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  if (millis < 1000) return std::to_string(millis) + "ms";
  if (minutes == 0) return std::to_string(seconds) + '.' + std::to_string(millis / 100 % 10) + 's';
  if (hours == 0) return two_units(minutes, "min", seconds % 60, "s");
  if (hours < 24) return two_units(hours, "h", minutes % 60, "min");
  return two_units(hours / 24, "d", hours % 24, "h");
}

std::string exact_span(Millis span) {
  const std::int64_t millis = span.count();
  if (millis < 1000) return std::to_string(millis) + "ms";
  std::array<char, 40> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%lld.%03llds", static_cast<long long>(millis / 1000),
                    static_cast<long long>(millis % 1000));
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace heartbeat::ctl
