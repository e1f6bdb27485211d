#include "common/token.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

using namespace heartbeat;

namespace {

const std::string kDigest(64, 'a');

std::string fault_of(const std::string& line) {
  const auto parsed = parse_token_line(line);
  return parsed ? std::string{} : parsed.error();
}

}  // namespace

TEST_CASE("a token has 16 to 128 printable characters that JSON spells as they are") {
  CHECK_FALSE(is_token(std::string(15, 'x')));
  CHECK(is_token(std::string(16, 'x')));
  CHECK(is_token(std::string(128, 'x')));
  CHECK_FALSE(is_token(std::string(129, 'x')));
  for (const char* const wrong : {" ", "\"", "\\", "\x7f", "\n", "\xc3\xa9"}) {
    CAPTURE(std::string{wrong});
    CHECK_FALSE(is_token(std::string(16, 'x') + wrong));
  }
}

TEST_CASE("32 bytes are 43 characters of base64url") {
  std::array<std::uint8_t, 32> bytes{};
  CHECK(token_of(bytes) == "hb_" + std::string(43, 'A'));
  bytes.fill(0xFF);
  CHECK(token_of(bytes) == "hb_" + std::string(42, '_') + "8");
  for (std::size_t at = 0; at < bytes.size(); ++at) bytes.at(at) = static_cast<std::uint8_t>(at);
  CHECK(token_of(bytes) == "hb_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
  CHECK(is_token(token_of(bytes)));
}

TEST_CASE("a line is read as it is written, with blanks between its parts and a pattern to its end") {
  const auto line = parse_token_line(" pump\tsha256:" + kDigest + "  id=pump *  ");
  REQUIRE(line);
  CHECK(line->name == "pump");
  CHECK(
      std::all_of(line->digest.begin(), line->digest.end(), [](std::uint8_t byte) { return byte == 0xaa; }));
  CHECK(line->ids == "pump *");
  CHECK(to_string(*line) == "pump sha256:" + kDigest + " id=pump *");
  CHECK(to_string(*parse_token_line(to_string(*line))) == to_string(*line));
}

TEST_CASE("a wrong line is refused by a sentence that quotes no more of it than its name") {
  CHECK(fault_of("#a sha256:" + kDigest + " id=*").starts_with("must begin with a name"));
  CHECK(
      fault_of(std::string(65, 'n') + " sha256:" + kDigest + " id=*").starts_with("must begin with a name"));
  CHECK(fault_of(std::string(64, 'n') + " sha256:" + kDigest + " id=*").empty());
  const std::string secret = "hb_" + std::string(43, 'S');
  for (const std::string& wrong :
       {secret, "sha256:" + kDigest.substr(1), "sha256:" + kDigest + "a", "sha256:" + std::string(64, 'A'),
        "sha256:" + kDigest.substr(1) + "g", kDigest, std::string{}}) {
    CAPTURE(wrong);
    const std::string fault = fault_of("pump " + wrong + " id=*");
    CHECK(fault.starts_with("'pump': the name must be followed by sha256:"));
    CHECK(fault.find("SSS") == std::string::npos);
  }
  CHECK(fault_of("pump sha256:" + kDigest) == "'pump': the digest must be followed by id=GLOB");
  CHECK(fault_of("pump sha256:" + kDigest + " " + secret).find("SSS") == std::string::npos);
  CHECK(fault_of("pump sha256:" + kDigest + " id= ") == "'pump': id= must not be empty; id=* is any id");
  CHECK(fault_of("pump sha256:" + kDigest + " id=[a").starts_with("'pump': "));
}
