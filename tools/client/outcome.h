// What the client does when the daemon says that it closes the connection: try again, or end, and how.
#pragma once

#include <string_view>

#include "common/status.h"

namespace heartbeat::client {

// Where no code of sysexits.h fits.
inline constexpr int kExitSuperseded = 3;
inline constexpr int kExitKicked = 4;

struct Outcome {
  bool reconnect;
  int exit_code;  // where it does not reconnect
};

// `reason` as it came with a status of close; `declared` is what our own heartbeats say.  Why each ends as it
// does stands in --help.  A reason that this version does not know is a later daemon's, and no reason to give
// up.
[[nodiscard]] Outcome outcome_of_close(std::string_view reason, Status declared);

// Whether the next attempt must wait for half the cap at least: another program has the id, an operator wants
// the client gone, its credential is refused, or what it sent may have crashed the daemon.
[[nodiscard]] bool is_barred(std::string_view reason);

}  // namespace heartbeat::client
