// The help of a program, laid out for a terminal of 80 columns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace heartbeat {

inline constexpr std::size_t kHelpWidth = 80;

// The text with every line that is longer wrapped at spaces.  Behind a gap of two spaces or more stands a
// description: its rest goes on below its beginning.  The rest of a line of prose goes on in the next line of
// the paragraph.
[[nodiscard]] std::string fitted_help(std::string_view help);

}  // namespace heartbeat
