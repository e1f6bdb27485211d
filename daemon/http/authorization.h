// The token in a request: `Authorization: Bearer TOKEN`, or the password of `Basic`, which browsers ask for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace heartbeat::http {

// `header`: the value of Authorization.  Nothing where it holds no token in either form.
[[nodiscard]] std::optional<std::string> token_in(std::string_view header);

}  // namespace heartbeat::http
