#include "daemon/core/reason.h"

#include <array>

namespace heartbeat {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, kReasonCount> kReasons{
    "silent",      "declared",      "remembered", "steady",        "away",       "goodbye",
    "peer_closed", "reset",         "bad_frame",  "bad_heartbeat", "superseded", "kicked",
    "never_spoke", "frame_timeout", "limit",      "shutdown",
};
static_assert(static_cast<std::size_t>(Reason::Shutdown) + 1 == kReasonCount);

}  // namespace

std::string_view to_string(Reason reason) {
  return kReasons.at(static_cast<std::size_t>(reason));
}

std::string_view to_string(Party party) {
  switch (party) {
    case Party::Client: return "client";
    case Party::Daemon: return "daemon";
    case Party::Operator: return "operator";
  }
  return "";
}

}  // namespace heartbeat
