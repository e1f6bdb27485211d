// A pattern for names: `*` is any text, `?` any one character, `[a-z_]` one of these, `[!a-z]` one of the
// others, `\` takes the next character as it is.
//
// Matching never backtracks: the set of places in the pattern that the text so far can have reached is
// carried along in one bit set, so that a name costs its length whatever the pattern is.
#pragma once

#include <array>
#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "common/limits.h"

namespace heartbeat {

class Glob {
 public:
  // The error is a sentence that names what is wrong with the pattern.
  [[nodiscard]] static tl::expected<Glob, std::string> compile(std::string_view pattern);

  // Whether the whole text is such a name.  Bytes that are not UTF-8 match nothing but a `*`.
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  // Bit n: the first n characters of the pattern have been met.
  using Places = std::bitset<limits::kGlobCharactersMax + 1>;

  struct Range {
    char32_t first;
    char32_t last;
  };
  // What one character of the text must be.
  struct Character {
    std::vector<Range> ranges;
    bool inverted = false;

    [[nodiscard]] bool accepts(char32_t value) const;
  };

  [[nodiscard]] Places accepting(char32_t value) const;

  std::vector<Character> characters_;
  Places stars_;                      // places at which any text may come
  std::array<Places, 128> of_ascii_;  // the characters that accept it
};

}  // namespace heartbeat
