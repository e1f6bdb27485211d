// The program's log, set up once; everywhere else it is spdlog's default logger.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace heartbeat {

enum class LogStyle {
  Plain,     // for a file or a pipe: date, time with milliseconds, level, text
  Terminal,  // for a person: time with milliseconds, colour by level where standard error is a terminal
};

// The levels, the most verbose first.
inline constexpr std::array<std::string_view, 7> kLogLevels{"trace", "debug",    "info", "warning",
                                                            "error", "critical", "off"};

// Sends the log to standard error.  Levels: trace, debug, info, warning, error, critical, off.  The error is
// a sentence that names the level.
[[nodiscard]] tl::expected<void, std::string> set_up_log(LogStyle style, std::string_view level);

// Changes the level of the log that was set up, and returns what it was.  The error is the same as above.
[[nodiscard]] tl::expected<std::string, std::string> set_log_level(std::string_view level);

}  // namespace heartbeat
