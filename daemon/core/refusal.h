// Why a connection was turned away before it was a client: the setting that forbade it, or what was lacking.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace heartbeat {

enum class Refusal : std::uint8_t { MaxClients, MaxClientsPerIp, OutOfMemory };
inline constexpr std::size_t kRefusalCount = 3;

[[nodiscard]] constexpr std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::MaxClients: return "max_clients";
    case Refusal::MaxClientsPerIp: return "max_clients_per_ip";
    case Refusal::OutOfMemory: return "out_of_memory";
  }
  return "";
}

}  // namespace heartbeat
