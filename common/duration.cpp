#include "common/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

#include "common/text.h"

namespace heartbeat {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t millis;
};

constexpr std::array kUnits{
    Unit{"d", 24LL * 3600 * 1000},
    Unit{"h", 3600LL * 1000},
    Unit{"min", 60LL * 1000},
    Unit{"s", 1000},
    Unit{"ms", 1},
};

std::string quoted(std::string_view text) {
  return "'" + escaped(text) + "'";
}

}  // namespace

tl::expected<Millis, std::string> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc::result_out_of_range)
    return tl::unexpected(quoted(text) + " is too long a duration");
  if (error != std::errc{} || text.starts_with('-')) {
    return tl::unexpected(quoted(text) + " is not a duration (write it like 250ms, 10s, 30min or 1h)");
  }

  const std::string_view unit{rest, static_cast<std::size_t>(end - rest)};
  if (unit.empty()) {
    return tl::unexpected(quoted(text) + " has no unit (did you mean " + std::string{text} + "s or " +
                          std::string{text} + "ms?)");
  }
  for (const Unit& known : kUnits) {
    if (unit != known.name) continue;
    if (count > std::numeric_limits<std::int64_t>::max() / known.millis) {
      return tl::unexpected(quoted(text) + " is too long a duration");
    }
    return Millis{count * known.millis};
  }
  return tl::unexpected(quoted(text) + " has an unknown unit " + quoted(unit) + " (use ms, s, min, h or d)");
}

std::string format_duration(Millis duration) {
  const std::int64_t millis = duration.count();
  for (const Unit& unit : kUnits) {
    if (millis != 0 && millis % unit.millis == 0) {
      return std::to_string(millis / unit.millis) + std::string{unit.name};
    }
  }
  return "0ms";
}

std::string describe_duration(Millis duration) {
  const std::int64_t millis = duration.count();
  const auto count = [](std::int64_t number, const char* unit) {
    return std::to_string(number) + " " + unit;
  };
  const auto two = [&](std::int64_t in_smaller, std::int64_t ratio, const char* unit, const char* smaller) {
    const std::string larger = count(in_smaller / ratio, unit);
    return in_smaller % ratio == 0 ? larger : larger + " " + count(in_smaller % ratio, smaller);
  };
  const std::int64_t seconds = millis / 1000;
  if (millis < 1000) return count(millis, "ms");
  if (seconds < 60) {
    const std::int64_t tenths = millis % 1000 / 100;
    return std::to_string(seconds) + (tenths == 0 ? "" : "." + std::to_string(tenths)) + " s";
  }
  if (seconds < 3600) return two(seconds, 60, "min", "s");
  if (seconds < 24L * 3600) return two(seconds / 60, 60, "h", "min");
  return two(seconds / 3600, 24, "d", "h");
}

}  // namespace heartbeat
