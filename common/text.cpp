#include "common/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace heartbeat {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;  // bytes; 0 where the bytes are not UTF-8
};

// The first code point of bytes that are not empty.
CodePoint decode(std::string_view bytes) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};

  std::size_t size = 0;
  char32_t value = 0;
  char32_t smallest = 0;  // anything below is an overlong form
  if ((lead & 0xE0U) == 0xC0) {
    size = 2, value = lead & 0x1FU, smallest = 0x80;
  } else if ((lead & 0xF0U) == 0xE0) {
    size = 3, value = lead & 0x0FU, smallest = 0x800;
  } else if ((lead & 0xF8U) == 0xF0) {
    size = 4, value = lead & 0x07U, smallest = 0x10000;
  } else {
    return {};
  }
  if (bytes.size() < size) return {};
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xC0U) != 0x80) return {};
    value = value << 6U | (byte(at) & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest || value > 0x10FFFF || surrogate) return {};
  return {value, size};
}

struct Range {
  char32_t first;
  char32_t last;
};

// Control characters, and the invisible ones that move or hide their neighbours (Unicode's bidirectional
// controls, zero-width characters, line and paragraph separators, the byte order mark, tags).
constexpr std::array kUnprintable{
    Range{0x00, 0x1F},     Range{0x7F, 0x9F},     Range{0xAD, 0xAD},       Range{0x061C, 0x061C},
    Range{0x180E, 0x180E}, Range{0x200B, 0x200F}, Range{0x2028, 0x202E},   Range{0x2060, 0x206F},
    Range{0xFEFF, 0xFEFF}, Range{0xFFF9, 0xFFFB}, Range{0xE0000, 0xE007F},
};

bool is_printable(char32_t value) {
  return std::none_of(kUnprintable.begin(), kUnprintable.end(),
                      [&](Range range) { return value >= range.first && value <= range.last; });
}

// Those of Unicode's White_Space that are printable.
bool is_white_space(char32_t value) {
  return value == 0x20 || value == 0xA0 || value == 0x1680 || (value >= 0x2000 && value <= 0x200A) ||
         value == 0x202F || value == 0x205F || value == 0x3000;
}

void append_hex(std::string& out, char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto value = static_cast<std::uint8_t>(byte);
  out += "\\x";
  out += kDigits[value >> 4U];
  out += kDigits[value & 0xFU];
}

}  // namespace

std::optional<char32_t> take_code_point(std::string_view& bytes) {
  const CodePoint point = decode(bytes);
  bytes.remove_prefix(std::max<std::size_t>(point.size, 1));
  if (point.size == 0) return {};
  return point.value;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    // Eight at once where they are ASCII, as nearly all are.
    std::uint64_t word = 0;
    if (bytes.size() >= sizeof word) {
      std::memcpy(&word, bytes.data(), sizeof word);
      if ((word & 0x8080808080808080U) == 0) {
        bytes.remove_prefix(sizeof word);
        continue;
      }
    }
    const CodePoint point = decode(bytes);
    if (point.size == 0) return false;
    bytes.remove_prefix(point.size);
  }
  return true;
}

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = decode(text);
    if (point.size == 0 || !is_printable(point.value)) return false;
    text.remove_prefix(point.size);
  }
  return true;
}

std::string_view cut_to_bytes(std::string_view text, std::size_t max) {
  if (text.size() <= max) return text;
  const auto continues = [](char byte) { return (static_cast<std::uint8_t>(byte) & 0xC0U) == 0x80; };
  while (max > 0 && continues(text[max])) --max;
  return text.substr(0, max);
}

bool has_hidden_ends(std::string_view text) {
  bool was_white = false;
  for (bool is_first = true; !text.empty(); is_first = false) {
    was_white = is_white_space(take_code_point(text).value_or(U'x'));
    if (is_first && was_white) return true;
  }
  return was_white;
}

std::string escaped(std::string_view text, std::size_t max) {
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const CodePoint point = decode(text);
    const std::size_t size = std::max<std::size_t>(point.size, 1);
    if (used + size > max) {
      out += "…";
      break;
    }
    const char first = text.front();
    if (first == '\\' || first == '"') {
      out += '\\';
      out += first;
    } else if (first == '\n') {
      out += "\\n";
    } else if (point.size != 0 && is_printable(point.value)) {
      out += text.substr(0, size);
    } else {
      for (const char byte : text.substr(0, size)) append_hex(out, byte);
    }
    text.remove_prefix(size);
    used += size;
  }
  return out;
}

std::string without_quotes(std::string_view sentence) {
  std::string text;
  bool is_quoted = false;
  for (std::size_t at = 0; at < sentence.size(); ++at) {
    if (is_quoted && sentence[at] == '\\')
      ++at;  // an escaped double quote ends no quote
    else if (sentence[at] == '"') {
      text += is_quoted ? "\"" : "\"…";
      is_quoted = !is_quoted;
    } else if (!is_quoted)
      text += sentence[at];
  }
  return text;
}

std::string log_value(std::string_view text) {
  // A colon at the end would read as the beginning of a line's detail.
  const bool plain = !text.empty() && is_printable(text) && !text.ends_with(':') && !has_hidden_ends(text) &&
                     text.find_first_of(" =\"\\") == std::string_view::npos;
  return plain ? std::string{text} : '"' + escaped(text) + '"';
}

}  // namespace heartbeat
