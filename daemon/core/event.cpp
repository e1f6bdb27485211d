#include "daemon/core/event.h"

#include <array>

namespace heartbeat {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, kEventKindCount> kKinds{
    "connected",  "joined",        "named",          "takeover", "fight",     "heartbeat",
    "slow_beats", "fast_beats",    "strike",         "leave",    "return",    "close",
    "refused",    "stall",         "suspend",        "brake",    "brake_end", "accept_paused",
    "restarted",  "refused_again", "reload_refused", "hold",     "hold_end",  "certificate_expires",
    "absent",     "drain",         "drain_complete",
};
static_assert(static_cast<std::size_t>(Event::Kind::DrainComplete) + 1 == kEventKindCount);

}  // namespace

std::string_view to_string(Event::Kind kind) {
  return kKinds.at(static_cast<std::size_t>(kind));
}

}  // namespace heartbeat
