// The three servers that take turns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace heartbeat::bench {

enum class ServerKind : std::uint8_t { Raw, Libuv, Daemon };
inline constexpr std::size_t kServerCount = 3;

[[nodiscard]] std::string_view to_string(ServerKind kind);

}  // namespace heartbeat::bench
