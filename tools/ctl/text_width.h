// Text on a terminal: what may be shown of it, and how many columns it takes.
//
// Columns are counted for the program's locale (LC_CTYPE), which has to be one of UTF-8: use_utf8() sees to
// it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heartbeat::ctl {

// Takes the user's locale, or C.UTF-8 where that is not one of UTF-8.  Once, at the start.
void use_utf8();

// The text as it is where a person sees what is there, else escaped: no name can move the
// cursor.  In quotes where white space begins or ends it.
[[nodiscard]] std::string shown(std::string_view text);

// Columns that shown text takes: 2 for each wide character, 0 for a combining one.
[[nodiscard]] std::size_t width_of(std::string_view text);

// The text in at most `width` columns: cut before the first character that does not fit, with an ellipsis.
[[nodiscard]] std::string cut_to(std::string_view text, std::size_t width);

// The text in pieces of at most `width` columns, broken at spaces; a word that is longer stays whole.  At
// least one piece.  `width`: nothing is unlimited.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, std::optional<std::size_t> width);

// The text without its last character.
[[nodiscard]] std::string_view without_last(std::string_view text);

}  // namespace heartbeat::ctl
