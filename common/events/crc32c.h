// CRC-32C (Castagnoli), the checksum of iSCSI, ext4 and RFC 3720: finds every burst of errors up to 32 bits
// in a line of the event journal.
#pragma once

#include <cstdint>
#include <string_view>

namespace heartbeat::events {

// Of all bytes: 0xe3069283 of "123456789".
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

}  // namespace heartbeat::events
