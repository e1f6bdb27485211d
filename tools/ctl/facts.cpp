#include "tools/ctl/facts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tools/ctl/text_width.h"

namespace heartbeat::ctl {
namespace {

constexpr std::size_t kGap = 2;  // spaces between label and text

// A text beside a label is not squeezed below this; the terminal may wrap it then.
constexpr std::size_t kTextLeast = 20;

// The text in pieces of at most `width` columns, broken at spaces; a word that is longer stays whole.
std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> pieces(1);
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    std::string& piece = pieces.back();
    if (piece.empty()) {
      piece = word;
    } else if (width_of(piece) + 1 + width_of(word) <= width) {
      piece += ' ';
      piece += word;
    } else {
      pieces.emplace_back(word);
    }
  }
  return pieces;
}

}  // namespace

void Facts::add(std::string_view label, Span text) {
  text.text = shown(text.text);
  facts_.push_back({shown(label), std::move(text)});
}

std::vector<Line> Facts::lines(std::optional<std::size_t> width) const {
  std::size_t indent = 0;
  for (const Fact& fact : facts_) indent = std::max(indent, width_of(fact.label) + kGap);

  std::vector<Line> lines;
  for (const Fact& fact : facts_) {
    const std::vector<std::string> pieces =
        width ? wrapped(fact.text.text, std::max(*width, indent + kTextLeast) - indent)
              : std::vector{fact.text.text};
    std::string label = fact.label;
    for (const std::string& piece : pieces) {
      const std::size_t padding = indent - width_of(label);
      lines.push_back({{label, Tone::Strong}, {std::string(padding, ' ')}, {piece, fact.text.tone}});
      label.clear();
    }
  }
  return lines;
}

}  // namespace heartbeat::ctl
