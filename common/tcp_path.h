// What the kernel knows of a TCP connection's path, and when it must give the connection up: plain values.
#pragma once

#include <cstdint>

#include "common/mono_time.h"

namespace heartbeat {

// When the kernel gives a connection up by itself.  0 is for never, but for the system's own time for data
// that stays unacknowledged (Linux: about a quarter of an hour).
struct TcpLimits {
  // After this long without a packet from the peer the kernel probes it, three times at most, a third of this
  // apart.  Without an answer it ends the connection, twice this long after the last packet.
  Millis keepalive{0};
  // Ends a connection whose peer has acknowledged nothing for this long although something was sent.
  Millis user_timeout{0};

  friend bool operator==(const TcpLimits&, const TcpLimits&) = default;
};

struct TcpPath {
  std::uint32_t unanswered = 0;      // retransmissions in a row, or keep-alive probes, without an answer
  std::uint32_t unacknowledged = 0;  // segments that were sent and not acknowledged
  Millis retry{0};                   // the kernel's present retransmission timeout
  Millis round_trip{0};
  Millis last_packet{0};  // how long ago the last packet came, a bare acknowledgement included
};

}  // namespace heartbeat
