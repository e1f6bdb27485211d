// Signatures of Standard Webhooks 1.0.0: HMAC-SHA256 over `ID.TIMESTAMP.BODY`, in base64.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heartbeat::notify {

// The key of a secret as the specification writes it, `whsec_` and 24 to 64 bytes in base64; nothing for
// another text.
[[nodiscard]] std::optional<std::string> key_of_secret(std::string_view secret);

// The value of the header webhook-signature: `v1,` and the signature.  `at`: seconds since 1970.
[[nodiscard]] std::string signature(std::string_view key, std::string_view id, std::int64_t at,
                                    std::string_view body);

}  // namespace heartbeat::notify
