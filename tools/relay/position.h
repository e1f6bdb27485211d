// A place in a node's stream: the incarnation of its relay, and the number of a record in it.
#pragma once

#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace heartbeat::relay {

// Written `INCARNATION-SEQUENCE`, which is the form of a Redis stream's id and has its order.
struct Position {
  std::uint64_t incarnation = 0;  // milliseconds since 1970 by the engine's clock, or higher; 0: none yet
  std::uint64_t sequence = 0;     // 1, 2, 3 … of an incarnation's records

  friend auto operator<=>(const Position&, const Position&) = default;
};

[[nodiscard]] inline std::string to_string(const Position& position) {
  return std::to_string(position.incarnation) + '-' + std::to_string(position.sequence);
}

// Nothing where the text is no whole number.
[[nodiscard]] inline std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size()) return {};
  return number;
}

[[nodiscard]] inline std::optional<Position> parse_position(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return {};
  const auto incarnation = parse_number(text.substr(0, dash));
  const auto sequence = parse_number(text.substr(dash + 1));
  if (!incarnation || !sequence) return {};
  return Position{*incarnation, *sequence};
}

}  // namespace heartbeat::relay
