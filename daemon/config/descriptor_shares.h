// How the process's descriptors are shared out, so that no use of them can take the share of another.
#pragma once

#include <algorithm>
#include <cstddef>

#include "common/limits.h"
#include "daemon/core/settings.h"

namespace heartbeat {

struct DescriptorShares {
  std::size_t sessions;  // on the control socket
  std::size_t http;      // connections, where there is HTTP
  std::size_t clients;   // 0: there are not enough even for ourselves
};

// The daemon's own, and one for each newcomer over max_clients.
inline constexpr std::size_t kDescriptorsKept = limits::kDescriptorHeadroom + kNewcomersMax;

[[nodiscard]] constexpr DescriptorShares share_descriptors(std::size_t limit, bool serves_http) {
  const std::size_t to_share = limit - std::min(limit, kDescriptorsKept);
  const std::size_t sessions =
      std::min(limits::kControlSessionsMax, to_share / limits::kControlSessionsShare);
  const std::size_t http = serves_http ? std::min(limits::kHttpConnectionsMax + limits::kHttpClosingMax,
                                                  to_share / limits::kHttpConnectionsShare)
                                       : 0;
  return {.sessions = sessions, .http = http, .clients = to_share - sessions - http};
}

}  // namespace heartbeat
