#include "daemon/http/authorization.h"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "common/limits.h"

namespace heartbeat::http {
namespace {

// The scheme's name has no case (RFC 9110, 11.1).
bool take_scheme(std::string_view& header, std::string_view scheme) {
  if (header.size() <= scheme.size() || header[scheme.size()] != ' ') return false;
  const bool is_same = std::equal(scheme.begin(), scheme.end(), header.begin(), [](char one, char other) {
    return one == static_cast<char>(std::tolower(static_cast<unsigned char>(other)));
  });
  if (is_same) header.remove_prefix(scheme.size() + 1);
  return is_same;
}

// RFC 4648, 4.  Nothing where it is none.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char digit : text) {
    const std::size_t value = kAlphabet.find(digit);
    if (value == std::string_view::npos) return {};
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xffU);
  }
  return bytes;
}

}  // namespace

std::optional<std::string> token_in(std::string_view header) {
  if (header.size() > limits::kExcerptMax + 2 * limits::kTokenMax) return {};
  if (take_scheme(header, "bearer")) return std::string{header};
  if (!take_scheme(header, "basic")) return {};
  const auto pair = from_base64(header);
  if (!pair) return {};
  const std::size_t colon = pair->find(':');
  return colon == std::string::npos ? std::nullopt : std::optional{pair->substr(colon + 1)};
}

}  // namespace heartbeat::http
