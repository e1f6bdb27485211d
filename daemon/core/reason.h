// Why a client's status changed or its connection ended, and who began it.  The words are part of the wire
// and of the logs: docs/protocol.md lists them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace heartbeat {

enum class Reason : std::uint8_t {
  // alive -> leave
  Silent,      // (also of a close) the cursor was reached; leave ran out after that
  Declared,    // the client said so
  Remembered,  // it was in leave when it was last closed, and is back
  // leave -> alive
  Steady,
  // -> close
  Away,          // leave ran out after a declared leave
  Goodbye,       // the client said so
  PeerClosed,    // the client closed its connection
  Reset,         // the connection broke
  BadFrame,      // the framing was wrong
  BadHeartbeat,  // a body was wrong
  Superseded,    // another connection is this client now
  Kicked,        // an operator closed it
  NeverSpoke,    // nothing came in time after the accept
  FrameTimeout,  // a frame was left unfinished
  Limit,         // more than the daemon allows: of clients, or of unread answers
  Shutdown,      // the daemon is ending
};
inline constexpr std::size_t kReasonCount = 16;

enum class Party : std::uint8_t { Client, Daemon, Operator };

[[nodiscard]] std::string_view to_string(Reason reason);
[[nodiscard]] std::string_view to_string(Party party);

}  // namespace heartbeat
