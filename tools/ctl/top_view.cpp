#include "tools/ctl/top_view.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "common/limits.h"
#include "common/text.h"
#include "tools/ctl/client_table.h"
#include "tools/ctl/status_text.h"
#include "tools/ctl/story_text.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl {
namespace {

constexpr std::size_t kOtherRows = 2;  // the table's headings, and the last line
constexpr std::size_t kItemGap = 2;    // spaces between two items of the head

// A filter is a key; what is longer was not meant.
constexpr std::size_t kFilterMax = limits::kIdMax;

struct Sort {
  char key;
  std::string_view name;
};
constexpr std::array kSorts{Sort{'s', "silence"}, Sort{'m', "margin"}, Sort{'c', "connected"},
                            Sort{'n', "name"}};

constexpr std::array kStatusFilters{std::string_view{""}, std::string_view{"leave"},
                                    std::string_view{"alive"}};

constexpr std::array<std::string_view, 16> kHelp{
    "q          quit",
    "Up Down    choose a client       PgUp PgDn  a page       Home End  first, last",
    "Enter      why: the story of the chosen client; Enter or Escape leaves it",
    "s m c n    sort by silence, margin, connected (the oldest first), name",
    "t          show all clients, those in leave, those alive",
    "/          filter by name: a glob, or a part of it; empty: all",
    "           Enter takes the filter, Escape leaves it as it was",
    "?          this help, and away again",
    "",
    "SILENCE    silent ticks in a row, out of the threshold that makes a strike",
    "STRIKES    out of the cursor that makes a leave",
    "MARGIN     how much room there is until leave: 100% with a clean record, 0% in leave",
    "LEAST      the least margin on this connection",
    "HEARD      how long ago the last heartbeat came",
    "STEADY     heard ticks, out of those that clear the strikes or end a leave",
    "INTERVAL   the distance between the last two heartbeats",
};

// What a person types to find a client: a part of its name will do.
std::string glob_of(const std::string& typed) {
  if (typed.empty() || typed.find_first_of("*?[") != std::string::npos) return typed;
  return '*' + typed + '*';
}

std::int64_t closes_in_all(const Object& status) {
  std::int64_t sum = 0;
  for (const auto& [reason, count] : status.object("closes").numbers()) sum += count;
  return sum;
}

// What the head is made of, each a piece that is not broken: as many to a line as fit.
std::vector<Span> head_items(const Object& status) {
  const Object clients = status.object("clients");
  const Object descriptors = status.object("descriptors");
  const bool stalled = status.object("stalls").number("count").value_or(0) != 0;
  std::vector<Span> items{
      {"heartbeatd " + shown(status.text("version")), Tone::Strong},
      {"up " + uptime_text(status)},
      {"alive " + shown(clients.written("alive")), Tone::Good},
      {"leave " + shown(clients.written("leave")), Tone::Warning},
      {"of " + shown(clients.written("max"))},
      {"beats/s " + rates_text(status)},
  };
  for (const auto& [name, count] : status.object("totals").numbers()) {
    items.push_back({shown(name) + ' ' + std::to_string(count)});
  }
  items.push_back({"closes " + std::to_string(closes_in_all(status))});
  items.push_back({"stalls " + shown(stalls_text(status)), stalled ? Tone::Warning : Tone::Plain});
  items.push_back({"loop p99 " + shown(status.object("loop_lateness_ms").written("p99")) + "ms"});
  items.push_back({"memory " + memory_text(status)});
  items.push_back(
      {"descriptors " + shown(descriptors.written("used")) + " of " + shown(descriptors.written("limit"))});
  return items;
}

std::vector<Line> in_lines(const std::vector<Span>& items, std::size_t width) {
  std::vector<Line> lines(1);
  std::size_t used = 0;
  for (const Span& item : items) {
    const std::size_t needed = width_of(item.text);
    if (used != 0 && used + kItemGap + needed > width) {
      lines.emplace_back();
      used = 0;
    }
    if (used != 0) lines.back().push_back({std::string(kItemGap, ' ')});
    used += (used == 0 ? 0 : kItemGap) + needed;
    lines.back().push_back(item);
  }
  return lines;
}

void append_wrapped(std::vector<Line>& lines, const std::string& text, Tone tone, std::size_t width) {
  for (std::string& piece : wrapped(text, width)) lines.push_back({{std::move(piece), tone}});
}

}  // namespace

TopView::TopView(std::string sort, std::string match, std::string group)
    : sort_(std::move(sort)), match_(std::move(match)), group_(std::move(group)) {}

void TopView::press(Key key) {
  if (typing_) {
    press_in_filter(key);
  } else if (story_) {
    press_in_story(key);
  } else {
    press_in_table(key);
  }
}

void TopView::press_in_filter(Key key) {
  if (key.kind == Key::Kind::Enter) {
    if (is_printable(*typing_)) match_ = glob_of(*typing_);
    begin_anew();
    typing_.reset();
  } else if (key.kind == Key::Kind::Escape) {
    typing_.reset();
  } else if (key.kind == Key::Kind::Backspace) {
    typing_ = std::string{without_last(*typing_)};
  } else if (key.kind == Key::Kind::Character && typing_->size() < kFilterMax) {
    *typing_ += key.byte;
  }
}

void TopView::press_in_story(Key key) {
  const std::size_t page = table_rows();
  switch (key.kind) {
    case Key::Kind::Up: first_ -= std::min<std::size_t>(first_, 1); return;
    case Key::Kind::Down: ++first_; return;  // add_story() knows where the end is
    case Key::Kind::PageUp: first_ -= std::min(first_, page); return;
    case Key::Kind::PageDown: first_ += page; return;
    case Key::Kind::Home: first_ = 0; return;
    case Key::Kind::Enter:
    case Key::Kind::Escape: break;
    default:
      if (key.byte != 'q') return;
      break;
  }
  story_.reset();
  first_ = 0;
}

void TopView::press_in_table(Key key) {
  const auto page = static_cast<long>(std::max<std::size_t>(table_rows(), 1));
  const auto row = static_cast<long>(row_);
  switch (key.kind) {
    case Key::Kind::Up: return choose(row - 1);
    case Key::Kind::Down: return choose(row + 1);
    case Key::Kind::PageUp: return choose(row - page);
    case Key::Kind::PageDown: return choose(row + page);
    case Key::Kind::Home: return begin_anew();
    case Key::Kind::End: to_the_end_ = true; return;
    case Key::Kind::Escape: help_ = false; return;
    case Key::Kind::Enter:
      if (row_ < names_.size()) story_ = names_[row_];
      first_ = 0;
      help_ = false;
      return;
    case Key::Kind::Character: break;
    default: return;
  }
  if (key.byte == 'q') ended_ = true;
  if (key.byte == '?') help_ = !help_;
  if (key.byte == '/') typing_ = "";
  if (key.byte == 't') {
    const auto* const now = std::find(kStatusFilters.begin(), kStatusFilters.end(), status_);
    status_ = now + 1 == kStatusFilters.end() ? kStatusFilters.front() : *(now + 1);
    begin_anew();
  }
  for (const Sort& sort : kSorts) {
    if (sort.key != key.byte) continue;
    sort_ = sort.name;
    begin_anew();
  }
}

void TopView::choose(long row) {
  to_the_end_ = false;
  const long last = names_.empty() ? 0 : static_cast<long>(names_.size()) - 1;
  row_ = static_cast<std::size_t>(std::clamp(row, 0L, last));
  chosen_ = row_ < names_.size() ? names_[row_] : std::string{};
}

// Another list begins with its first row.
void TopView::begin_anew() {
  first_ = row_ = 0;
  chosen_.clear();
  to_the_end_ = false;
}

std::size_t TopView::table_rows() const {
  const std::size_t others = head_rows_ + kOtherRows;
  return size_.rows > others ? size_.rows - others : 0;
}

TopQuery TopView::query() const {
  const std::size_t wanted = story_ ? row_ + 1 : std::max(first_, row_) + 2 * table_rows() + 1;
  return {.sort = sort_,
          .match = match_,
          .group = group_,
          .status = status_,
          .limit = to_the_end_ ? limits::kListMax : std::min(wanted, limits::kListMax),
          .story = story_.value_or("")};
}

std::vector<Line> TopView::lines(const TopAnswers& answers) {
  std::vector<Line> lines = head_lines(answers);
  // Where there is room for hardly more than the head, clients come first.
  if (constexpr std::size_t kClientsLeast = 3; lines.size() + kOtherRows + kClientsLeast > size_.rows) {
    lines = {lines.front(), lines.back()};
  }
  head_rows_ = lines.size();

  const Object rule = answers.status ? answers.status->object().object("rule") : Object{};
  if (help_) {
    for (const std::string_view line : kHelp) lines.push_back({{std::string{line}}});
  } else if (story_) {
    add_story(lines, answers, rule);
  } else {
    add_table(lines, answers, rule);
  }
  const std::size_t before_last = size_.rows > 0 ? size_.rows - 1 : 0;
  lines.resize(before_last);
  lines.push_back(last_line(answers));
  return lines;
}

// The totals; what is wrong, here or with the fleet; and what is shown, or the filter while it is typed.
std::vector<Line> TopView::head_lines(const TopAnswers& answers) const {
  std::vector<Line> lines{{{"heartbeatd", Tone::Strong}}};
  if (answers.status) {
    const Object status = answers.status->object();
    lines = in_lines(head_items(status), size_.columns);
    const std::string braked = braked_text(status);
    if (!braked.empty()) {
      append_wrapped(lines, shown(braked) + "; what to do: heartbeatctl brake confirm, or brake release",
                     Tone::Bad, size_.columns);
    }
  }
  if (!answers.trouble.empty()) append_wrapped(lines, answers.trouble, Tone::Bad, size_.columns);
  lines.push_back(typing_ ? Line{{"filter: " + shown(*typing_) + "_", Tone::Strong}} : sort_line());
  return lines;
}

Line TopView::sort_line() const {
  std::string text = "sorted by " + sort_;
  if (!status_.empty()) text += ", only " + status_;
  if (!match_.empty()) text += ", only " + shown(match_);
  if (!group_.empty()) text += ", only of group " + shown(group_);
  return {{text, Tone::Faint}};
}

void TopView::add_table(std::vector<Line>& lines, const TopAnswers& answers, const Object& rule) {
  show_chosen(answers);
  Table table = client_table(sort_);
  const std::size_t end = std::min(answers.clients.size(), first_ + table_rows());
  for (std::size_t at = first_; at < end; ++at) table.add(client_cells(answers.clients[at].object(), rule));
  std::vector<Line> rows = table.take(size_.columns);
  if (const std::size_t chosen = 1 + row_ - first_; chosen < rows.size()) {
    std::size_t width = 0;
    for (Span& span : rows[chosen]) {
      span.tone = Tone::Chosen;
      width += width_of(span.text);
    }
    rows[chosen].push_back({std::string(size_.columns - std::min(size_.columns, width), ' '), Tone::Chosen});
  }
  for (Line& line : rows) lines.push_back(std::move(line));
}

// Finds the chosen client again, and moves the rows that are shown so that it is among them.
void TopView::show_chosen(const TopAnswers& answers) {
  names_.clear();
  for (const Reply& client : answers.clients) names_.emplace_back(client.object().text("name"));
  const std::size_t rows = table_rows();
  const std::size_t last = names_.empty() ? 0 : names_.size() - 1;
  const auto found = std::find(names_.begin(), names_.end(), chosen_);
  if (to_the_end_) {
    row_ = last;
  } else if (!chosen_.empty() && found != names_.end()) {
    row_ = static_cast<std::size_t>(found - names_.begin());
  }
  row_ = std::min(row_, last);
  if (row_ < first_) first_ = row_;
  if (rows > 0 && row_ >= first_ + rows) first_ = row_ + 1 - rows;
  first_ = std::min(first_, names_.size() > rows ? names_.size() - rows : 0);
}

void TopView::add_story(std::vector<Line>& lines, const TopAnswers& answers, const Object& rule) {
  const bool is_there = answers.story && answers.story->object().object("client").text("name") == *story_;
  if (!is_there) {
    lines.push_back({{"the story of " + shown(*story_) + " …", Tone::Faint}});
    return;
  }
  std::vector<Line> story = story_lines(answers.story->object(), rule, size_.columns);
  const std::size_t rows = table_rows() + 1;  // a story has no headings
  first_ = std::min(first_, story.size() > rows ? story.size() - rows : 0);
  lines.insert(lines.end(), std::make_move_iterator(story.begin() + static_cast<std::ptrdiff_t>(first_)),
               std::make_move_iterator(story.end()));
}

Line TopView::last_line(const TopAnswers& answers) const {
  if (story_) return {{"Enter or q: quit the story  Up Down: scroll", Tone::Faint}};
  const std::size_t count = answers.clients.size();
  const std::size_t last = std::min(count, first_ + table_rows());
  std::string which = "no client";
  if (count != 0) which = std::to_string(first_ + 1) + '-' + std::to_string(last);
  if (count != 0 && match_.empty() && group_.empty() && answers.status) {
    const Object clients = answers.status->object().object("clients");
    const std::int64_t alive = clients.number("alive").value_or(0);
    const std::int64_t leave = clients.number("leave").value_or(0);
    which += " of " + std::to_string(status_ == "alive" ? alive : status_ == "leave" ? leave : alive + leave);
  }
  return {{which + "  q quit  Enter why  / filter  t status  s/m/c/n sort  ? help", Tone::Faint}};
}

}  // namespace heartbeat::ctl
