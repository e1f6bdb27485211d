#include "tools/ctl/styled.h"

namespace heartbeat::ctl {
namespace {

// Select Graphic Rendition (ECMA-48 8.3.117).
const char* escape_of(Tone tone) {
  switch (tone) {
    case Tone::Plain: return "";
    case Tone::Strong: return "\x1b[1m";
    case Tone::Faint: return "\x1b[2m";
    case Tone::Good: return "\x1b[32m";
    case Tone::Warning: return "\x1b[33m";
    case Tone::Bad: return "\x1b[31m";
    case Tone::Chosen: return "\x1b[7m";
  }
  return "";
}

}  // namespace

std::string rendered(const Line& line, bool colour) {
  std::string out;
  for (const Span& span : line) {
    const bool escaped = colour && span.tone != Tone::Plain;
    if (escaped) out += escape_of(span.tone);
    out += span.text;
    if (escaped) out += "\x1b[0m";
  }
  out += '\n';
  return out;
}

}  // namespace heartbeat::ctl
