// The default path of the control socket: one rule, shared by the daemon and heartbeatctl.
#pragma once

#include <string>

namespace heartbeat {

// The path of a daemon that the system's service manager runs, independent of the environment.
inline constexpr const char* kSystemControlPath = "/run/heartbeatd/control.sock";

// $RUNTIME_DIRECTORY/control.sock, as systemd sets it (the first where it names several); else
// $XDG_RUNTIME_DIR/heartbeatd/control.sock; else kSystemControlPath.  A variable that is empty is not set.
[[nodiscard]] std::string default_control_path();

}  // namespace heartbeat
