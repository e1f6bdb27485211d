#include "common/token.h"

#include <algorithm>
#include <fstream>
#include <optional>

#include "common/glob.h"
#include "common/limits.h"
#include "common/text.h"

namespace heartbeat {
namespace {

constexpr std::string_view kPrefix = "hb_";
constexpr std::string_view kDigestPrefix = "sha256:";
constexpr std::string_view kIdPrefix = "id=";
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBlank = " \t";
constexpr std::string_view kWhite = " \t\r\n";
constexpr std::size_t kTokenTextMax = 1024;  // bytes of a client's file: a token and white space

bool is_visible_ascii(char byte) {
  return byte > ' ' && byte <= '~';
}

std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kBlank));
  text.remove_prefix(word.size());
  return word;
}

std::optional<TokenDigest> digest_of_hex(std::string_view hex) {
  TokenDigest digest{};
  if (hex.size() != 2 * digest.size()) return {};
  for (std::size_t at = 0; at < hex.size(); ++at) {
    const std::size_t value = kHexDigits.find(hex[at]);
    if (value == std::string_view::npos) return {};
    digest.at(at / 2) = static_cast<std::uint8_t>(std::size_t{digest.at(at / 2)} << 4U | value);
  }
  return digest;
}

}  // namespace

bool is_token(std::string_view text) {
  return text.size() >= limits::kTokenMin && text.size() <= limits::kTokenMax &&
         std::all_of(text.begin(), text.end(),
                     [](char byte) { return is_visible_ascii(byte) && byte != '"' && byte != '\\'; });
}

bool is_token_name(std::string_view text) {
  return !text.empty() && text.size() <= limits::kTokenNameMax && text.front() != '#' &&
         std::all_of(text.begin(), text.end(), is_visible_ascii);
}

// Each 6 bits are a character, the first bits first; the last character has 4 bits and two zeros.
std::string token_of(std::span<const std::uint8_t, 32> secret) {
  std::string token{kPrefix};
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::uint8_t byte : secret) {
    bits = bits << 8U | byte;
    for (count += 8; count >= 6; count -= 6) token += kBase64Url[bits >> (count - 6) & 63U];
  }
  token += kBase64Url[bits << (6 - count) & 63U];
  return token;
}

tl::expected<std::string, std::string> read_token_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::string text(kTokenTextMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return tl::unexpected("cannot read " + escaped(path));
  text.resize(static_cast<std::size_t>(file.gcount()));
  const std::size_t begin = std::min(text.find_first_not_of(kWhite), text.size());
  const std::string token{text, begin, text.find_last_not_of(kWhite) + 1 - begin};
  if (is_token(token)) return token;
  return tl::unexpected(escaped(path) +
                        " holds no token, which is 16 to 128 printable characters without spaces");
}

std::string to_string(const TokenLine& line) {
  std::string text = line.name + ' ' + std::string{kDigestPrefix};
  for (const std::uint8_t byte : line.digest) {
    text += kHexDigits[byte >> 4U];
    text += kHexDigits[byte & 15U];
  }
  return text.append(" ").append(kIdPrefix).append(line.ids);
}

tl::expected<TokenLine, std::string> parse_token_line(std::string_view text) {
  TokenLine line;
  line.name = take_word(text);
  if (!is_token_name(line.name)) {
    return tl::unexpected(std::string{"must begin with a name of 1 to 64 printable characters of ASCII"});
  }
  std::string_view digest = take_word(text);
  const bool has_prefix = digest.starts_with(kDigestPrefix);
  if (has_prefix) digest.remove_prefix(kDigestPrefix.size());
  const auto bytes = has_prefix ? digest_of_hex(digest) : std::nullopt;
  if (!bytes) {
    return tl::unexpected("'" + line.name +
                          "': the name must be followed by sha256: and 64 hexadecimal digits in lower case "
                          "(heartbeatctl token new writes the line)");
  }
  line.digest = *bytes;
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  if (!text.starts_with(kIdPrefix)) {
    return tl::unexpected("'" + line.name + "': the digest must be followed by id=GLOB");
  }
  text.remove_prefix(kIdPrefix.size());
  line.ids = text.substr(0, text.find_last_not_of(kBlank) + 1);
  if (line.ids.empty()) return tl::unexpected("'" + line.name + "': id= must not be empty; id=* is any id");
  const auto glob = Glob::compile(line.ids);
  if (!glob) return tl::unexpected("'" + line.name + "': " + glob.error());
  return line;
}

}  // namespace heartbeat
