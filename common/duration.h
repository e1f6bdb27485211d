// Durations as people write them, `250ms`, `10s`, `30min`, `1h`, to and from Millis.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "common/mono_time.h"

namespace heartbeat {

// Reads a whole number followed by its unit: ms, s, min, h or d, nothing between or around them.
// The error is a sentence that names what was written and, for a bare number, what to write instead.
[[nodiscard]] tl::expected<Millis, std::string> parse_duration(std::string_view text);

// The shortest exact way to write it: 90 s is `90s`, 1800 s is `30min`. parse_duration() reads it back.
[[nodiscard]] std::string format_duration(Millis duration);

// For a sentence, rounded down to its two largest units: `250 ms`, `12.5 s`, `30 min`, `1 h 5 min`, `3 d`.
[[nodiscard]] std::string describe_duration(Millis duration);

}  // namespace heartbeat
