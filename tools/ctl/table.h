// Rows under headings, fitted to a width.  Knows nothing of clients or terminals.
//
// Where the rows are wider than there is room, columns are shortened, from the least important on, and where
// that is not enough the least important are dropped; the most important one always stays.  The widths are
// settled by the first rows that are taken, so that a list of any length is printed page by page under one
// heading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/ctl/styled.h"

namespace heartbeat::ctl {

enum class Align : std::uint8_t { Left, Right };

struct Column {
  std::string title;
  unsigned rank;          // 0 is the most important; no two alike
  std::size_t least = 0;  // columns that it may be cut down to; 0: it is shown whole or not at all
  Align align = Align::Left;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // One cell a column; an empty one is shown as a dash.  The text is escaped here (see shown()): it may come
  // from anywhere.
  void add(Line cells);

  // The rows added since the last time; the first time under their headings.  `width`: nothing is unlimited.
  [[nodiscard]] std::vector<Line> take(std::optional<std::size_t> width);

 private:
  void settle(std::optional<std::size_t> width);
  [[nodiscard]] Line laid_out(const Line& cells) const;

  std::vector<Column> columns_;
  std::vector<Line> rows_;
  std::vector<std::size_t> widths_;  // 0: dropped; empty: not settled yet
  bool cuts_ = false;                // later rows that are wider are cut as the first were
};

}  // namespace heartbeat::ctl
