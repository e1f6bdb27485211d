#include "tools/ctl/time_text.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>

#include "common/wall_time.h"

namespace heartbeat::ctl {
namespace {

constexpr std::size_t kInstantSize = std::string_view{"2026-11-22T09:55:14.570Z"}.size();

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
  const auto instant = heartbeat::parse_instant(text);
  if (!instant) return {};
  return instant->time_since_epoch();
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
    const auto time = local(sentence.substr(0, kInstantSize));
    if (!time) {
      text += sentence.front();
      sentence.remove_prefix(1);
      continue;
    }
    const bool is_today = time->tm_year == today.tm_year && time->tm_yday == today.tm_yday;
    text += formatted(*time, is_today ? "%H:%M:%S %Z" : "%Y-%m-%d %H:%M:%S %Z");
    sentence.remove_prefix(kInstantSize);
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
