// Bytes as they stand on the wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace heartbeat::test {

// The four bytes that announce a body of this length, right or wrong.
[[nodiscard]] inline std::string prefix(std::int32_t length) {
  const auto bits = static_cast<std::uint32_t>(length);
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes.push_back(static_cast<char>(bits >> shift & 0xFFU));
  return bytes;
}

[[nodiscard]] inline std::string framed(std::string_view body) {
  return prefix(static_cast<std::int32_t>(body.size())).append(body);
}

// A literal with NUL bytes inside: `with_nul("a\0b")`.
template <std::size_t Size>
[[nodiscard]] std::string with_nul(const char (&literal)[Size]) {
  return {literal, Size - 1};
}

}  // namespace heartbeat::test
