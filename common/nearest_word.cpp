#include "common/nearest_word.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace heartbeat {
namespace {

// What is longer was not meant to be any word of ours, and costs the product of both lengths.
constexpr std::size_t kWrittenMax = 128;

// The number of insertions, deletions and replacements that make one word of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string_view> nearest_word(std::string_view written,
                                             std::span<const std::string_view> words) {
  if (written.size() > kWrittenMax) return {};
  std::optional<std::string_view> nearest;
  std::size_t within = std::max<std::size_t>(1, written.size() / 3);
  for (const std::string_view word : words) {
    const std::size_t off = distance(written, word);
    if (off > within || (off == within && nearest)) continue;
    nearest = word;
    within = off;
  }
  return nearest;
}

}  // namespace heartbeat
