// The header of the PROXY protocol as a preamble: required from trusted proxies, and from no other peer.
#pragma once

#include <vector>

#include "common/network.h"
#include "daemon/io/preamble.h"

namespace heartbeat {

// For proxies that have these addresses; empty where there are none.  A header from any other
// address is not looked for here: the monitor sees it in the place of the first frame (proxy_untrusted).
[[nodiscard]] MakePreamble require_proxy_header(const std::vector<Network>& proxies);

}  // namespace heartbeat
