// The word that a person may have meant.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace heartbeat {

// The word that the fewest changes of one character make of the one that was written: at most a third of its
// length, and one for a short word.  Nothing if no word is so near.
[[nodiscard]] std::optional<std::string_view> nearest_word(std::string_view written,
                                                           std::span<const std::string_view> words);

}  // namespace heartbeat
