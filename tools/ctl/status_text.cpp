#include "tools/ctl/status_text.h"

#include <array>
#include <cstdio>

#include "tools/ctl/time_text.h"

namespace heartbeat::ctl {
namespace {

std::string one_decimal(double value) {
  std::array<char, 400> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.1f", value);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string span_of(const Object& object, const char* member) {
  const auto span = object.millis(member);
  return span ? span_text(*span) : "?";
}

}  // namespace

std::string uptime_text(const Object& status) {
  return span_of(status, "uptime_ms");
}

std::string rates_text(const Object& status) {
  const Object rates = status.object("heartbeats").object("per_second");
  std::string text;
  for (const char* const seconds : {"1", "10", "60"}) {
    const auto rate = rates.real(seconds);
    if (!rate) continue;
    if (!text.empty()) text += ", ";
    text += one_decimal(*rate) + " (" + seconds + "s)";
  }
  return text;
}

std::string stalls_text(const Object& status) {
  const Object stalls = status.object("stalls");
  if (stalls.number("count").value_or(0) == 0) return "none";
  return stalls.written("count") + ", worst " + span_of(stalls, "worst_ms") + ", " +
         span_of(stalls, "total_ms") + " in all, last " + span_of(stalls, "last_ms") + " at " +
         local_time(stalls.text("last"));
}

std::string memory_text(const Object& status) {
  constexpr double kMiB = 1024.0 * 1024.0;
  const auto bytes = status.real("memory_bytes");
  return bytes ? one_decimal(*bytes / kMiB) + " MiB" : "?";
}

}  // namespace heartbeat::ctl
