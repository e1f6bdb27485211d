#include "common/help_text.h"

#include <algorithm>
#include <utility>

namespace heartbeat {
namespace {

// The column below which the rest of a line goes on.
std::size_t indent_of(std::string_view line) {
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t gap = line.find("  ", begin);
  return gap == std::string_view::npos ? begin : std::min(line.find_first_not_of(' ', gap), line.size());
}

// Where to break a line that is too long: the last space that leaves something in front of it; npos if none.
std::size_t place_to_break(std::string_view line, std::size_t indent) {
  const std::size_t space = line.rfind(' ', kHelpWidth);
  if (space != std::string_view::npos && space > indent) return space;
  return line.find(' ', std::max(indent, kHelpWidth));
}

// The line that shows how a program is called is a paragraph of its own, also without an empty line before
// it.
bool is_prose(std::string_view line) {
  return !line.empty() && line.front() != ' ' && !line.starts_with("Usage: ");
}

}  // namespace

std::string fitted_help(std::string_view help) {
  std::string fitted;
  std::string carried;  // of a line of prose, for the next one
  while (!help.empty()) {
    const std::string_view next = help.substr(0, help.find('\n'));
    help.remove_prefix(std::min(next.size() + 1, help.size()));
    std::string line{next};
    if (!carried.empty() && is_prose(next)) line.insert(0, carried + ' ');
    if (!carried.empty() && !is_prose(next)) fitted.append(carried).append(1, '\n');
    carried.clear();

    const std::size_t indent = indent_of(line);
    while (line.size() > kHelpWidth) {
      const std::size_t at = place_to_break(line, indent);
      if (at == std::string::npos) break;
      fitted.append(line, 0, at) += '\n';
      line = std::string(is_prose(line) ? 0 : indent, ' ') + line.substr(at + 1);
      if (is_prose(line) && is_prose(next) && line.size() <= kHelpWidth) {
        carried = std::exchange(line, {});
      }
    }
    if (carried.empty()) fitted += line + '\n';
  }
  if (!carried.empty()) fitted += carried + '\n';
  return fitted;
}

}  // namespace heartbeat
