// The secret that a client may give in its first heartbeat, and the line of the file that lists it.
//
// A line holds the SHA-256 of the token and never the token itself.  A slow hash is not needed: a token is 32
// random bytes, which no search finds, where a password could be guessed.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace heartbeat {

using TokenDigest = std::array<std::uint8_t, 32>;  // SHA-256

// Whether a client may send this as its token: 16 to 128 printable characters of ASCII without spaces, double
// quotes and backslashes, so that JSON spells it as it is.
[[nodiscard]] bool is_token(std::string_view text);

// Whether a line may have this name: 1 to 64 printable characters of ASCII without spaces, the first of them
// not a `#`.
[[nodiscard]] bool is_token_name(std::string_view text);

// `hb_` and the base64url of 32 random bytes, 43 characters.
[[nodiscard]] std::string token_of(std::span<const std::uint8_t, 32> secret);

// The token that a file holds, without the white space around it.  The error is a sentence without the file's
// contents.
[[nodiscard]] tl::expected<std::string, std::string> read_token_file(const std::string& path);

// A line of the file of tokens: `NAME sha256:HEX id=GLOB`.
struct TokenLine {
  std::string name;      // of the credential; two lines may have one name while a token is replaced
  TokenDigest digest{};  // of the token
  std::string ids;       // a pattern (common/glob.h) of the ids that its holder may use
};

[[nodiscard]] std::string to_string(const TokenLine& line);

// The error is a sentence.  It quotes nothing of the line but its name: a token may stand there by mistake.
[[nodiscard]] tl::expected<TokenLine, std::string> parse_token_line(std::string_view text);

}  // namespace heartbeat
