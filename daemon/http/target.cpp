#include "daemon/http/target.h"

#include <charconv>
#include <cstdint>

#include "common/limits.h"
#include "common/text.h"

namespace heartbeat::http {
namespace {

std::optional<char> hex_byte(std::string_view digits) {
  std::uint8_t value = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 2 || error != std::errc{} || rest != digits.data() + digits.size()) return {};
  return static_cast<char>(value);
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string decoded;
  while (!text.empty()) {
    const char first = text.front();
    if (first != '%') {
      decoded += first == '+' && plus_is_space ? ' ' : first;
      text.remove_prefix(1);
      continue;
    }
    const auto byte = hex_byte(text.substr(1, 2));
    if (!byte) return {};
    decoded += *byte;
    text.remove_prefix(3);
  }
  if (!is_utf8(decoded)) return {};
  return decoded;
}

tl::expected<Target, std::string> parse_target(std::string_view target) {
  const std::size_t mark = target.find('?');
  Target parsed{.path = target.substr(0, mark), .query = {}};
  std::string_view rest = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(pair.size() + (pair.size() < rest.size() ? 1 : 0));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    const auto name = percent_decoded(pair.substr(0, equals), true);
    const auto value = percent_decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true);
    if (!name || !value) {
      return tl::unexpected("'" + escaped(pair, limits::kExcerptMax) +
                            "' is not what a URL's query is made of: percent-encoded UTF-8");
    }
    for (const auto& [other, unused] : parsed.query) {
      if (other == *name)
        return tl::unexpected("'" + escaped(*name, limits::kExcerptMax) + "' is given twice");
    }
    parsed.query.emplace_back(*name, *value);
  }
  return parsed;
}

}  // namespace heartbeat::http
