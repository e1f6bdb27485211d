// The header of the PROXY protocol as a preamble: required from trusted proxies, and from no other peer.
#pragma once

#include <memory>
#include <vector>

#include "common/network.h"
#include "daemon/io/preamble.h"

namespace heartbeat {

// Null where `peer` is none of these proxies.  A header from any other address is not looked for here: the
// monitor sees it in the place of the first frame (proxy_untrusted).
[[nodiscard]] std::unique_ptr<Preamble> proxy_preamble(const std::vector<Network>& proxies,
                                                       const Endpoint& peer);

}  // namespace heartbeat
