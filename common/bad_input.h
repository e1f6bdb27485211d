// What can be wrong with what a peer sent: the kinds that are counted, logged and sent to the peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace heartbeat {

enum class BadInput : std::uint8_t {
  // the length prefix
  LengthZero,
  LengthNegative,
  LengthOverMax,
  // the header of the PROXY protocol before the first frame
  ProxyMissing,
  ProxyUntrusted,
  ProxyInvalid,
  // the body as a whole
  NotUtf8,
  NotJson,
  TooDeep,
  NotAnObject,
  // its members
  IpMissing,
  IpInvalid,
  StatusMissing,
  StatusUnknown,
  PidInvalid,
  IdInvalid,
  IdChanged,
  SeqInvalid,
  AckInvalid,
  NotifyInvalid,
};
inline constexpr std::size_t kBadInputCount = 20;

// Whether the stream around the bodies was wrong (a close as `bad_frame`) and not a body (`bad_heartbeat`).
[[nodiscard]] constexpr bool is_frame_error(BadInput kind) {
  return kind <= BadInput::ProxyInvalid;
}

// The stable name, `ip_missing`: a counter's label.
[[nodiscard]] std::string_view to_string(BadInput kind);

// One sentence without a full stop that says what was expected.
[[nodiscard]] std::string_view explain(BadInput kind);

}  // namespace heartbeat
