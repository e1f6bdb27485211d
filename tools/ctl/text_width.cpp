#include "tools/ctl/text_width.h"

#include <algorithm>
#include <clocale>
#include <cwchar>

#include <langinfo.h>

#include "common/text.h"

namespace heartbeat::ctl {
namespace {

constexpr std::string_view kEllipsis = "…";

struct Character {
  std::size_t bytes;
  std::size_t columns;
};

// The first character of text that is not empty.  What the locale cannot read counts as one column a byte.
Character first_of(std::string_view text) {
  wchar_t wide = 0;
  std::mbstate_t state{};
  const std::size_t bytes = std::mbrtowc(&wide, text.data(), text.size(), &state);
  if (bytes == 0 || bytes > text.size()) return {1, 1};
  return {bytes, static_cast<std::size_t>(std::max(wcwidth(wide), 0))};
}

}  // namespace

void use_utf8() {
  const bool known = std::setlocale(LC_CTYPE, "") != nullptr;
  if (known && std::string_view{nl_langinfo(CODESET)} == "UTF-8") return;
  std::setlocale(LC_CTYPE, "C.UTF-8");
}

std::string shown(std::string_view text) {
  if (!is_printable(text)) return escaped(text);
  return has_hidden_ends(text) ? '"' + std::string{text} + '"' : std::string{text};
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = first_of(text);
    width += character.columns;
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string cut_to(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string{text};
  if (width == 0) return {};
  std::size_t columns = 0;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const Character character = first_of(text.substr(bytes));
    if (columns + character.columns > width - 1) break;
    columns += character.columns;
    bytes += character.bytes;
  }
  return std::string{text.substr(0, bytes)} + std::string{kEllipsis};
}

std::vector<std::string> wrapped(std::string_view text, std::optional<std::size_t> width) {
  if (!width) return {std::string{text}};
  std::vector<std::string> pieces(1);
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    std::string& piece = pieces.back();
    if (piece.empty()) {
      piece = word;
    } else if (width_of(piece) + 1 + width_of(word) <= *width) {
      piece += ' ';
      piece += word;
    } else {
      pieces.emplace_back(word);
    }
  }
  return pieces;
}

std::string_view without_last(std::string_view text) {
  const auto continues = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80; };
  while (!text.empty() && continues(text.back())) text.remove_suffix(1);
  if (!text.empty()) text.remove_suffix(1);
  return text;
}

}  // namespace heartbeat::ctl
