#include "tools/ctl/facts.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tools/ctl/text_width.h"

namespace heartbeat::ctl {
namespace {

constexpr std::size_t kLabelGap = 2;  // spaces between label and text

// A text beside a label is not squeezed below this; the terminal may wrap it then.
constexpr std::size_t kTextLeast = 20;

}  // namespace

void Facts::add(std::string_view label, Span text) {
  text.text = shown(text.text);
  facts_.push_back({shown(label), std::move(text)});
}

std::vector<Line> Facts::lines(std::optional<std::size_t> width) const {
  std::size_t indent = 0;
  for (const Fact& fact : facts_) indent = std::max(indent, width_of(fact.label) + kLabelGap);

  std::vector<Line> lines;
  for (const Fact& fact : facts_) {
    const std::vector<std::string> pieces = wrapped(
        fact.text.text, width ? std::optional{std::max(*width, indent + kTextLeast) - indent} : width);
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
