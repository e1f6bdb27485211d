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
  // the header of the PROXY protocol before the first frame
  ProxyMissing,
  ProxyUntrusted,
  ProxyInvalid,
  // what the client has not proved of itself
  CertificateMissing,
  CertificateId,
  TokenMissing,
  TokenWrong,
  TokenId,
  // at a listener with TLS; saved states have these numbers, so new kinds stand at the end
  TlsMissing,
  TlsFailed,
  CertificateInvalid,
};
inline constexpr std::size_t kBadInputCount = 28;

// Whether the stream around the bodies was wrong (a close as `bad_frame`).
[[nodiscard]] constexpr bool is_frame_error(BadInput kind) {
  return kind <= BadInput::LengthOverMax ||
         (kind >= BadInput::ProxyMissing && kind <= BadInput::ProxyInvalid) || kind == BadInput::TlsMissing ||
         kind == BadInput::TlsFailed;
}

// Whether the client lacks a credential (a close as `unauthorized`).  Any other kind that is no frame error
// is of a body (`bad_heartbeat`).
[[nodiscard]] constexpr bool is_unauthorized(BadInput kind) {
  return (kind >= BadInput::CertificateMissing && kind <= BadInput::TokenId) ||
         kind == BadInput::CertificateInvalid;
}

// The stable name, `ip_missing`: a counter's label.
[[nodiscard]] std::string_view to_string(BadInput kind);

// One sentence without a full stop that says what was expected.
[[nodiscard]] std::string_view explain(BadInput kind);

}  // namespace heartbeat
