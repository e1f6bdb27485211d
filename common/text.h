// Text that came from elsewhere: is it what it claims to be, and how to show it without being fooled by it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace heartbeat {

// Whether the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view bytes);

// Takes the first code point off bytes that are not empty; one byte, and nothing, where they are not UTF-8.
[[nodiscard]] std::optional<char32_t> take_code_point(std::string_view& bytes);

// The longest beginning of the text that has at most `max` bytes and ends between two characters.
[[nodiscard]] std::string_view cut_to_bytes(std::string_view text, std::size_t max);

// Whether white space (Unicode's White_Space) begins or ends the text, where a reader would not see it.
[[nodiscard]] bool has_hidden_ends(std::string_view text);

// Whether a person sees what is there: valid UTF-8 without control characters (C0, DEL, C1), line and
// paragraph separators, or the invisible marks that reorder the text around them.
[[nodiscard]] bool is_printable(std::string_view text);

// The text with everything that is_printable() refuses, and the backslash and double quote, written as
// escapes
// (\n, \", \xNN for each byte): safe in a log line and on a terminal.  At most `max` bytes of the text are
// used; an ellipsis says that there was more.
[[nodiscard]] std::string escaped(std::string_view text, std::size_t max = std::string_view::npos);

// A sentence with every part of it that stands in double quotes replaced by an ellipsis: what a peer sent is
// quoted so, escaped, and may hold a secret.
[[nodiscard]] std::string without_quotes(std::string_view sentence);

// The text as the value of a `key=value` pair: as it is where that is unmistakable, else escaped and in
// double quotes, so that no value can look like a second pair.
[[nodiscard]] std::string log_value(std::string_view text);

}  // namespace heartbeat
