// The servers that take turns: the three that are always there, and others that peers are compared with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace heartbeat::bench {

enum class ServerKind : std::uint8_t { Raw, Libuv, Daemon, RawAnswering, Peer };
inline constexpr std::size_t kServerCount = 3;  // of the first

[[nodiscard]] std::string_view to_string(ServerKind kind);

}  // namespace heartbeat::bench
