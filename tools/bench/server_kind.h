// The servers that take turns: the ones that are always there, and the peers that they are compared with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace heartbeat::bench {

enum class ServerKind : std::uint8_t { Raw, RawPaused, Libuv, Daemon, RawAnswering, Peer };
inline constexpr std::size_t kServerCount = 4;  // of the first

// What the others' figures are divided by.  It pauses between two turns as the daemon does: a server that
// does not is woken for nearly each heartbeat, and any server that pauses passes it.
inline constexpr ServerKind kReference = ServerKind::RawPaused;

[[nodiscard]] std::string_view to_string(ServerKind kind);

}  // namespace heartbeat::bench
