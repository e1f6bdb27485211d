// The journal's MESSAGE_ID of each kind of event: by it records are found, and explained from the catalog
// (systemd/heartbeatd.catalog has an entry for each).  Never changed, and never used for anything else.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "daemon/core/event.h"

namespace heartbeat {

// In the order of Event::Kind.
inline constexpr std::array<std::string_view, kEventKindCount> kMessageIds{
    "3e0708e4efbe439582b6d718c79adf03",  // Connected
    "7c818db6fbcb47d9993c3493133611f3",  // Joined
    "dc77d75e11ba47f690fcbd61f6d8293f",  // Named
    "357f7ebcc5e4477bb89ddad94a36d4b7",  // TakenOver
    "5508a21d47b94775b50c80ea004fc7e3",  // Fight
    "b8a7fc1dc0004c4a9b1ee523e0da5057",  // Heard
    "e7b1f6e05a94484db2502c54ab4f781a",  // Slow
    "8def345271a9412aa2708930f09ea48a",  // Fast
    "44c5fe701134468c8525c02319ec01ac",  // Struck
    "80f88f0d4e524fe49ab1216de631244a",  // Left
    "6e60b47dfd9a42e8af64ddb0f0fb0f63",  // Returned
    "cbd6599344004c83b5e439cfa4b0dc47",  // Closed
    "0b005dc00db24c0a9c287e801af3f0c7",  // Refused
    "a70ae4aa941246ab92f905ff3f748175",  // Stalled
    "b40d09368aaf40eb85b818024160d0f9",  // Suspended
    "9727b95a10064eb5a94d7a3c47ac57a0",  // Braked
    "2946bfcf3dda4478ada1e96cbc5d6822",  // BrakeEnded
    "a2bc70d4f3494ef1939190290eb8b384",  // AcceptPaused
    "7547d1f29f27413198b51d7224c91a1c",  // Restarted
    "6c1d0a7be5f94f0f8e6d5b2f0d8a4c39",  // RefusedAgain
    "d27f6f4b1c7e4d35a0c8f9e2b35a1e70",  // ReloadRefused
    "5b1f0c6f5f3a4f0f9f5b2d7c8a41e6b3",  // Held
    "c09d4e7a1b8f4c22a7d5e3f1906b8d54",  // HoldEnded
    "ed7e7a99f5d64a769627c0fe3854ded8",  // CertificateExpires
    "487e51acbbf1435ca2cd4406613e7f27",  // Absent
    "0c6f1832cd734f76be2102cfd47cd400",  // Drain
    "8db021be801f48cba7392ca8f902ff05",  // DrainComplete
};

// Several events of one kind in one record (see flood_control.h).
inline constexpr std::string_view kSummaryMessageId = "7e70661dbd934a898b65bb872878abfb";

[[nodiscard]] constexpr std::string_view message_id(Event::Kind kind) {
  return kMessageIds.at(static_cast<std::size_t>(kind));
}

}  // namespace heartbeat
