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

std::string duration_of(const Object& object, const char* member) {
  const auto span = object.millis(member);
  return span ? span_text(*span) : "?";
}

}  // namespace

std::string uptime_text(const Object& status) {
  return duration_of(status, "uptime_ms");
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
  return stalls.written("count") + ", worst " + duration_of(stalls, "worst_ms") + ", " +
         duration_of(stalls, "total_ms") + " in all, last " + duration_of(stalls, "last_ms") + " at " +
         local_time(stalls.text("last"));
}

std::string restarts_text(const Object& status) {
  const Object restarts = status.object("restarts");
  if (restarts.number("count").value_or(0) == 0) return "none";
  return restarts.written("count") + ", last " + duration_of(restarts, "last_ms") + " unread at " +
         local_time(restarts.text("last")) + ", worst " + duration_of(restarts, "worst_ms");
}

std::string suspensions_text(const Object& status) {
  const Object suspensions = status.object("suspensions");
  if (suspensions.number("count").value_or(0) == 0) return "none";
  return suspensions.written("count") + ", " + duration_of(suspensions, "total_ms") + " in all, last " +
         duration_of(suspensions, "last_ms") + " at " + local_time(suspensions.text("last"));
}

std::string braked_text(const Object& status) {
  const Object brake = status.object("brake");
  if (brake.text("state") != "holding") return {};
  const Object last = brake.object("last");
  return "closing for silence pauses until " + local_time(last.text("until")) + ": " +
         brake.written("waiting") + " wait, " + last.written("concerned") + " of " + last.written("clients") +
         " clients are concerned";
}

std::string brake_text(const Object& status) {
  const Object brake = status.object("brake");
  const Object last = brake.object("last");
  std::string text = braked_text(status);
  if (text.empty()) {
    text = std::string{brake.text("state")};
    if (brake.number("count").value_or(0) == 0) return text;
    return text + "; it held " + brake.written("count") + " times, last from " +
           local_time(last.text("from")) + " to " + local_time(last.text("until")) + " (" +
           std::string{last.text("ended")} + ")";
  }
  const auto common = [&](const char* member) {
    const std::string_view value = last.text(member);
    return value.empty() ? std::string{"several"} : std::string{value};
  };
  const std::string group = last.text("group").empty() ? "" : ", group " + std::string{last.text("group")};
  return text + "; subnet " + common("subnet") + ", listener " + common("listener") + group +
         ", last heard from " + local_time(last.text("heard_first")) + " to " +
         local_time(last.text("heard_last"));
}

std::string memory_text(const Object& status) {
  constexpr double kMiB = 1024.0 * 1024.0;
  const auto bytes = status.real("memory_bytes");
  return bytes ? one_decimal(*bytes / kMiB) + " MiB" : "?";
}

}  // namespace heartbeat::ctl
