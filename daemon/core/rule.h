// The settings of the liveness rule.  The rule itself is liveness.h; docs/liveness.md describes it in words.
#pragma once

#include <cstdint>

#include "common/mono_time.h"

namespace heartbeat {

struct Rule {
  Millis tick{10'000};              // a client's time is cut into these; best the clients' heartbeat interval
  std::uint16_t threshold = 5;      // silent ticks that make a strike
  std::uint16_t cursor = 3;         // strikes that make a leave
  std::uint16_t recover = 5;        // heard ticks that clear the strikes, or end a leave
  Millis leave_timeout{1'800'000};  // how long a leave may last before the client is closed

  friend bool operator==(const Rule&, const Rule&) = default;
};

}  // namespace heartbeat
