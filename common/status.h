// The three things a client can be, for itself on the wire and for the daemon's rule alike.
#pragma once

#include <cstdint>
#include <string_view>

namespace heartbeat {

enum class Status : std::uint8_t { Alive, Leave, Close };

[[nodiscard]] constexpr std::string_view to_string(Status status) {
  switch (status) {
    case Status::Alive: return "alive";
    case Status::Leave: return "leave";
    case Status::Close: return "close";
  }
  return "";
}

}  // namespace heartbeat
