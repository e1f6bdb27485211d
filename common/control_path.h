// Where the control socket is when nobody says: the one rule that the daemon and heartbeatctl share.
#pragma once

#include <string>

namespace heartbeat {

// Where a daemon of the system is found, whoever asks.
inline constexpr const char* kSystemControlPath = "/run/heartbeatd/control.sock";

// $RUNTIME_DIRECTORY/control.sock, as systemd sets it (the first where it names several); else
// $XDG_RUNTIME_DIR/heartbeatd/control.sock; else kSystemControlPath.  A variable that is empty is not set.
[[nodiscard]] std::string default_control_path();

}  // namespace heartbeat
