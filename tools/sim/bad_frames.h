// What an illegal client sends: bytes that each break one rule of the wire, and why it must be closed for
// them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "daemon/core/reason.h"

namespace heartbeat::sim {

struct BadFrame {
  std::string_view name;
  std::string bytes;  // with their length prefix, where there is a sound one
  Reason reason;
};

inline constexpr std::size_t kBadFrameCount = 8;

// `ordinal` counts illegal clients: the kinds come in turn.  `frame_max` is the daemon's longest body.
[[nodiscard]] BadFrame bad_frame(std::size_t ordinal, std::size_t frame_max);

}  // namespace heartbeat::sim
