// The framing as docs/protocol.md has it, on bytes that are all there: what the incremental decoder must
// equal, however the bytes were chopped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace heartbeat::sim {

struct WholeStream {
  std::string_view rest;
  std::size_t frame_max;
  bool is_bad = false;   // the framing is lost
  std::int32_t bad = 0;  // the length that lost it

  // The next body; nothing where the rest is no whole frame.
  std::optional<std::string_view> next() {
    if (is_bad || rest.size() < 4) return {};
    std::int64_t length = 0;
    for (const char byte : rest.substr(0, 4)) length = length * 256 + static_cast<std::uint8_t>(byte);
    if (length >= std::int64_t{1} << 31) length -= std::int64_t{1} << 32;
    if (length < 1 || length > static_cast<std::int64_t>(frame_max)) {
      is_bad = true;
      bad = static_cast<std::int32_t>(length);
      return {};
    }
    const auto size = static_cast<std::size_t>(length);
    if (rest.size() - 4 < size) return {};
    const std::string_view body = rest.substr(4, size);
    rest.remove_prefix(4 + size);
    return body;
  }
};

}  // namespace heartbeat::sim
