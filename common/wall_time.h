// Wall-clock time: date and time of day, as a value and as text.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "common/mono_time.h"

namespace heartbeat {

// Milliseconds since 1970, in UTC.
using WallTime = std::chrono::sys_time<Millis>;

// `2026-11-22T09:55:14.570Z`
[[nodiscard]] std::string format_instant(WallTime at);
// What format_instant() has made of an instant; nothing where the text is none.
[[nodiscard]] std::optional<WallTime> parse_instant(std::string_view text);

// `09:55:14 UTC`, and on another day than `today` `2026-11-21 09:55:14 UTC`.
[[nodiscard]] std::string format_for_sentence(WallTime at, WallTime today);

}  // namespace heartbeat
