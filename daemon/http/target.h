// The target of a request, `/api/clients?limit=7`: its path and what is asked.  Knows no path.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace heartbeat::http {

// Takes %XX apart.  Nothing where it is not well-formed, or says what is not UTF-8.  `plus_is_space`: as in a
// form.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space);

struct Target {
  std::string_view path;                                   // as it was sent, a part of what was parsed
  std::vector<std::pair<std::string, std::string>> query;  // decoded
};

// The error is a sentence.
[[nodiscard]] tl::expected<Target, std::string> parse_target(std::string_view target);

}  // namespace heartbeat::http
