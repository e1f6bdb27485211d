// What the core can be set to.
#pragma once

#include <cstddef>

#include "common/limits.h"
#include "daemon/core/bounds.h"
#include "daemon/core/closing_brake.h"
#include "daemon/core/rule.h"

namespace heartbeat {

struct Settings {
  Rule rule{};
  std::size_t clients_max = limits::kClientsDefault;
  std::size_t frame_max = limits::kFrameMax;  // bytes of a body
  std::size_t remember = limits::kRememberDefault;
  ClosingBrake::Settings brake{};
  bool report_heartbeats = false;  // an event for each heartbeat: for the debug mode
  Bounds bounds{};

  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace heartbeat
