#include "common/glob.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "common/limits.h"

using heartbeat::Glob;

namespace {

bool matches(std::string_view pattern, std::string_view text) {
  const auto glob = Glob::compile(pattern);
  REQUIRE_MESSAGE(glob, pattern);
  return glob->matches(text);
}

std::string refusal(std::string_view pattern) {
  const auto glob = Glob::compile(pattern);
  REQUIRE_FALSE(glob);
  return glob.error();
}

}  // namespace

TEST_CASE("a pattern without wildcards is the name itself, whole") {
  CHECK(matches("pump-7", "pump-7"));
  CHECK_FALSE(matches("pump-7", "pump-70"));
  CHECK_FALSE(matches("pump-7", "pump-"));
  CHECK_FALSE(matches("pump-7", "apump-7"));
  CHECK_FALSE(matches("pump-7", ""));
}

TEST_CASE("a star is any text, also none") {
  CHECK(matches("*", ""));
  CHECK(matches("*", "anything"));
  CHECK(matches("pump-*", "pump-"));
  CHECK(matches("pump-*", "pump-7"));
  CHECK(matches("*-7", "pump-7"));
  CHECK(matches("*u*-*", "pump-7"));
  CHECK(matches("**p**7**", "pump-7"));
  CHECK_FALSE(matches("pump-*", "pomp-7"));
  CHECK_FALSE(matches("*-7", "pump-70"));
  CHECK(matches("*ab*ab", "ababab"));
}

TEST_CASE("a question mark is one character, however many bytes it takes") {
  CHECK(matches("pump-?", "pump-7"));
  CHECK(matches("pump-?", "pump-é"));
  CHECK(matches("?", "💧"));
  CHECK_FALSE(matches("pump-?", "pump-"));
  CHECK_FALSE(matches("pump-?", "pump-77"));
}

TEST_CASE("brackets are one of these, or one of the others") {
  CHECK(matches("pump-[0-9]", "pump-7"));
  CHECK(matches("pump-[13579]", "pump-7"));
  CHECK(matches("[a-cx-z]", "y"));
  CHECK(matches("[à-ü]", "é"));
  CHECK_FALSE(matches("pump-[0-6]", "pump-7"));
  CHECK_FALSE(matches("[!0-9]", "7"));
  CHECK(matches("[!0-9]", "p"));
  CHECK(matches("[]x]", "]"));
  CHECK(matches("[a-]", "-"));
  CHECK(matches(R"([\]\-])", "-"));
  CHECK(matches("[[]::1]:14000", "[::1]:14000"));
}

TEST_CASE("a backslash takes the next character as it is") {
  CHECK(matches(R"(\*)", "*"));
  CHECK_FALSE(matches(R"(\*)", "x"));
  CHECK(matches(R"(\[::1]:*)", "[::1]:14000"));
  CHECK(matches(R"(\\)", R"(\)"));
}

TEST_CASE("bytes that are not UTF-8 match a star and nothing else") {
  CHECK(matches("a*", "a\xFF"));
  CHECK_FALSE(matches("a?", "a\xFF"));
  CHECK_FALSE(matches("a[!b]", "a\xFF"));
}

TEST_CASE("what is not a pattern is refused with what is wrong with it") {
  CHECK(refusal("") == "'' is not a pattern: it is empty (use * for all)");
  CHECK(refusal("[abc") == "'[abc' is not a pattern: a [ is not closed");
  CHECK(refusal("[") == "'[' is not a pattern: a [ is not closed");
  CHECK(refusal("[]") == "'[]' is not a pattern: a [ is not closed");
  CHECK(refusal("[a-") == "'[a-' is not a pattern: a [ is not closed");
  CHECK(refusal("a\\") == R"('a\\' is not a pattern: nothing follows the \ at its end)");
  CHECK(refusal("\xFF") == R"('\xff' is not a pattern: it is not UTF-8)");
}

TEST_CASE("a pattern has room for its maximum of characters, and stars do not count") {
  const std::string longest(heartbeat::limits::kGlobCharactersMax, 'a');
  CHECK(matches(longest, longest));
  CHECK(matches("*" + longest + "*", "b" + longest + "b"));
  CHECK(refusal(longest + "?").find("longer than 255 characters") != std::string::npos);
}

TEST_CASE("a pattern that would make a backtracking matcher try for ever costs what any other does") {
  const std::string pattern = "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b";
  CHECK_FALSE(matches(pattern, std::string(64, 'a')));
  CHECK(matches(pattern, std::string(63, 'a') + "b"));
}
