#include "tools/ctl/table.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "tools/ctl/text_width.h"

namespace heartbeat::ctl {
namespace {

constexpr std::size_t kColumnGap = 2;  // spaces between two columns

std::size_t total_of(const std::vector<std::size_t>& widths) {
  std::size_t total = 0;
  for (const std::size_t width : widths) {
    if (width != 0) total += width + (total == 0 ? 0 : kColumnGap);
  }
  return total;
}

// The columns' places, the most important first.
std::vector<std::size_t> by_rank(const std::vector<Column>& columns) {
  std::vector<std::size_t> places(columns.size());
  std::iota(places.begin(), places.end(), 0U);
  std::sort(places.begin(), places.end(),
            [&](std::size_t a, std::size_t b) { return columns[a].rank < columns[b].rank; });
  return places;
}

// The widths in which columns that want these fit into `room`.
std::vector<std::size_t> fitted(const std::vector<std::size_t>& wanted, const std::vector<Column>& columns,
                                std::size_t room) {
  std::vector<std::size_t> widths;
  for (std::size_t place = 0; place < columns.size(); ++place) {
    const std::size_t least = columns[place].least;
    widths.push_back(least == 0 ? wanted[place] : std::min(wanted[place], least));
  }
  const std::vector<std::size_t> places = by_rank(columns);
  for (auto place = places.rbegin(); place != places.rend() && total_of(widths) > room; ++place) {
    const bool last_one = *place == places.front();
    widths[*place] = last_one ? std::max<std::size_t>(room, 1) : 0;
  }
  for (const std::size_t place : places) {
    const std::size_t total = total_of(widths);
    if (widths[place] == 0 || total >= room) continue;
    widths[place] += std::min(room - total, wanted[place] - std::min(wanted[place], widths[place]));
  }
  return widths;
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(Line cells) {
  assert(cells.size() == columns_.size());
  for (Span& cell : cells) cell.text = cell.text.empty() ? "-" : shown(cell.text);
  rows_.push_back(std::move(cells));
}

std::vector<Line> Table::take(std::optional<std::size_t> width) {
  std::vector<Line> lines;
  if (widths_.empty()) {
    settle(width);
    Line headings;
    for (const Column& column : columns_) headings.push_back({column.title, Tone::Strong});
    lines.push_back(laid_out(headings));
  }
  for (const Line& row : rows_) lines.push_back(laid_out(row));
  rows_.clear();
  return lines;
}

void Table::settle(std::optional<std::size_t> width) {
  for (const Column& column : columns_) widths_.push_back(width_of(column.title));
  for (const Line& row : rows_) {
    for (std::size_t place = 0; place < row.size(); ++place) {
      widths_[place] = std::max(widths_[place], width_of(row[place].text));
    }
  }
  cuts_ = width.has_value();
  if (width) widths_ = fitted(widths_, columns_, *width);
}

Line Table::laid_out(const Line& cells) const {
  Line line;
  std::size_t owed = 0;  // spaces before the next text: a line never ends in any
  for (std::size_t place = 0; place < cells.size(); ++place) {
    const std::size_t width = widths_[place];
    if (width == 0) continue;
    const bool may_cut = cuts_ && (columns_[place].least != 0 || columns_[place].rank == 0);
    const std::string text = may_cut ? cut_to(cells[place].text, width) : cells[place].text;
    const std::size_t used = width_of(text);
    const std::size_t padding = width - std::min(width, used);
    const bool right = columns_[place].align == Align::Right;
    if (right) owed += padding;
    if (owed != 0) line.push_back({std::string(owed, ' ')});
    line.push_back({text, cells[place].tone});
    owed = kColumnGap + (right ? 0 : padding);
  }
  return line;
}

}  // namespace heartbeat::ctl
