// How the process's descriptors are shared out, so that nobody can take those of another.
#pragma once

#include <algorithm>
#include <cstddef>

#include "common/limits.h"

namespace heartbeat {

struct DescriptorShares {
  std::size_t sessions;  // on the control socket
  std::size_t clients;   // 0: there are not enough even for ourselves
};

[[nodiscard]] constexpr DescriptorShares share_descriptors(std::size_t limit) {
  const std::size_t to_share = limit - std::min(limit, limits::kDescriptorHeadroom);
  const std::size_t sessions =
      std::min(limits::kControlSessionsMax, to_share / limits::kControlSessionsShare);
  return {.sessions = sessions, .clients = to_share - sessions};
}

}  // namespace heartbeat
