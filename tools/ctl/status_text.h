// Parts of a status in words, for `status` and for the head of `top`.  Each takes the object of type
// `status`.
#pragma once

#include <string>

#include "tools/ctl/json_reply.h"

namespace heartbeat::ctl {

[[nodiscard]] std::string uptime_text(const Object& status);  // `3h12min`
[[nodiscard]] std::string rates_text(const Object& status);   // `1200 (1s), 1198.5 (10s), 1200 (60s)`
[[nodiscard]] std::string stalls_text(const Object& status);  // `2, worst 3.2s, …`, or `none`
// `ready`, or what it holds and until when; and the same on one short line, empty while it does not hold.
[[nodiscard]] std::string brake_text(const Object& status);
[[nodiscard]] std::string braked_text(const Object& status);
[[nodiscard]] std::string suspensions_text(const Object& status);  // `1, 8h in all, last 8h at …`, or `none`
[[nodiscard]] std::string restarts_text(const Object& status);  // `1, 8h in all, last 8h at …`, or `none`
[[nodiscard]] std::string memory_text(const Object& status);    // `34.5 MiB`

}  // namespace heartbeat::ctl
