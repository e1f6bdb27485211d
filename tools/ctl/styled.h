// Lines of text with a tone: what a table is made of before it is known whether colours may be shown.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace heartbeat::ctl {

enum class Tone : std::uint8_t { Plain, Strong, Faint, Good, Warning, Bad, Chosen };

struct Span {
  std::string text;
  Tone tone = Tone::Plain;
};
using Line = std::vector<Span>;

// The line with a line feed; with the escapes of a terminal where `colour` says so.
[[nodiscard]] std::string rendered(const Line& line, bool colour);

}  // namespace heartbeat::ctl
