// Whether this build of the daemon serves HTTP (CMake option HEARTBEAT_HTTP).
#pragma once

namespace heartbeat {

[[nodiscard]] bool has_http();

}  // namespace heartbeat
