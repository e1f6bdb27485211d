#include "common/glob.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "common/text.h"

namespace heartbeat {
namespace {

constexpr char32_t kNoCharacter = 0x110000;

// Takes the first character off the text, where `\` stands for the one that follows it.
std::optional<char32_t> take_literal(std::string_view& pattern) {
  if (pattern.substr(0, 1) == "\\") pattern.remove_prefix(1);
  if (pattern.empty()) return {};
  return take_code_point(pattern);
}

}  // namespace

bool Glob::Character::accepts(char32_t value) const {
  if (value == kNoCharacter) return false;
  const bool among = std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
    return value >= range.first && value <= range.last;
  });
  return among != inverted;
}

tl::expected<Glob, std::string> Glob::compile(std::string_view pattern) {
  const auto refuse = [whole = pattern](std::string_view why) {
    return tl::unexpected("'" + escaped(whole, limits::kExcerptMax) +
                          "' is not a pattern: " + std::string{why});
  };
  if (pattern.empty()) return refuse("it is empty (use * for all)");
  if (!is_utf8(pattern)) return refuse("it is not UTF-8");

  Glob glob;
  while (!pattern.empty()) {
    const char first = pattern.front();
    if (first == '*') {
      pattern.remove_prefix(1);
      glob.stars_.set(glob.characters_.size());
      continue;
    }
    if (glob.characters_.size() == limits::kGlobCharactersMax) {
      return refuse("it is longer than " + std::to_string(limits::kGlobCharactersMax) + " characters");
    }
    Character& character = glob.characters_.emplace_back();
    if (first == '?') {
      pattern.remove_prefix(1);
      character.inverted = true;
      continue;
    }
    if (first != '[') {
      const auto literal = take_literal(pattern);
      if (!literal) return refuse("nothing follows the \\ at its end");
      character.ranges.push_back({*literal, *literal});
      continue;
    }

    pattern.remove_prefix(1);
    character.inverted = pattern.substr(0, 1) == "!";
    if (character.inverted) pattern.remove_prefix(1);
    // As in a shell, a ] that comes first stands for itself.
    do {
      const auto low = take_literal(pattern);
      if (!low) return refuse("a [ is not closed");
      auto high = low;
      if (pattern.size() >= 2 && pattern[0] == '-' && pattern[1] != ']') {
        pattern.remove_prefix(1);
        high = take_literal(pattern);
        if (!high) return refuse("a [ is not closed");
      }
      character.ranges.push_back({*low, *high});
      if (pattern.empty()) return refuse("a [ is not closed");
    } while (pattern.front() != ']');
    pattern.remove_prefix(1);
  }
  for (char32_t value = 0; value < glob.of_ascii_.size(); ++value) {
    glob.of_ascii_.at(value) = glob.accepting(value);
  }
  return glob;
}

bool Glob::matches(std::string_view text) const {
  Places places{1};
  while (!text.empty()) {
    const char32_t value = take_code_point(text).value_or(kNoCharacter);
    const Places accepting_it = value < of_ascii_.size() ? of_ascii_.at(value) : accepting(value);
    places = (places & accepting_it) << 1U | (places & stars_);
    if (places.none()) return false;
  }
  return places.test(characters_.size());
}

Glob::Places Glob::accepting(char32_t value) const {
  Places places;
  for (std::size_t at = 0; at < characters_.size(); ++at) places.set(at, characters_[at].accepts(value));
  return places;
}

}  // namespace heartbeat
