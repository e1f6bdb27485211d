#include "tools/ctl/top_view.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/limits.h"
#include "common/text.h"
#include "tools/ctl/client_table.h"
#include "tools/ctl/status_text.h"
#include "tools/ctl/text_width.h"

namespace heartbeat::ctl {
namespace {

using Kind = Key::Kind;

constexpr std::size_t kHeadRows = 4;   // three of totals, one of sort and filter
constexpr std::size_t kOtherRows = 2;  // the table's headings, and the last line

// A filter is a key; what is longer was not meant.
constexpr std::size_t kFilterMax = limits::kIdMax;

struct Sort {
  char key;
  std::string_view name;
};
constexpr std::array kSorts{Sort{'s', "silence"}, Sort{'m', "margin"}, Sort{'c', "connected"},
                            Sort{'n', "name"}};

constexpr std::array<std::string_view, 13> kHelp{
    "q          quit",
    "s m c n    sort by silence, margin, connected (the oldest first), name",
    "/          filter by name: a glob, or a part of it; Enter takes it, Escape leaves it; empty: all",
    "Up Down    one row       PgUp PgDn  one page       Home End  the first, the last",
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

std::string counts_of(const Object& counts) {
  std::string text;
  for (const auto& [name, count] : counts.numbers()) {
    if (!text.empty()) text += "  ";
    text += shown(name) + ' ' + std::to_string(count);
  }
  return text;
}

std::int64_t closes_in_all(const Object& status) {
  std::int64_t sum = 0;
  for (const auto& [reason, count] : status.object("closes").numbers()) sum += count;
  return sum;
}

std::vector<Line> head_lines(const Object& status) {
  const Object clients = status.object("clients");
  const Object descriptors = status.object("descriptors");
  const bool stalled = status.object("stalls").number("count").value_or(0) != 0;
  return {
      {{"heartbeatd " + shown(status.text("version")), Tone::Strong},
       {"  up " + uptime_text(status) + "  "},
       {"alive " + shown(clients.written("alive")), Tone::Good},
       {"  "},
       {"leave " + shown(clients.written("leave")), Tone::Warning},
       {"  of " + shown(clients.written("max")) + "  beats/s " + rates_text(status)}},
      {{counts_of(status.object("totals")) + "  closes " + std::to_string(closes_in_all(status))}},
      {{"stalls "},
       {shown(stalls_text(status)), stalled ? Tone::Warning : Tone::Plain},
       {"  loop p99 " + shown(status.object("loop_lateness_ms").written("p99")) + "ms  memory " +
        memory_text(status) + "  descriptors " + shown(descriptors.written("used")) + " of " +
        shown(descriptors.written("limit"))}},
  };
}

}  // namespace

TopView::TopView(std::string sort, std::string match) : sort_(std::move(sort)), match_(std::move(match)) {}

void TopView::press(Key key) {
  if (typing_) {
    press_in_filter(key);
  } else {
    press_in_table(key);
  }
}

void TopView::press_in_filter(Key key) {
  if (key.kind == Kind::Enter) {
    if (is_printable(*typing_)) match_ = glob_of(*typing_);
    first_ = 0;
    typing_.reset();
  } else if (key.kind == Kind::Escape) {
    typing_.reset();
  } else if (key.kind == Kind::Backspace) {
    typing_ = std::string{without_last(*typing_)};
  } else if (key.kind == Kind::Character && typing_->size() < kFilterMax) {
    *typing_ += key.byte;
  }
}

void TopView::press_in_table(Key key) {
  const auto page = static_cast<long>(std::max<std::size_t>(table_rows(), 1));
  switch (key.kind) {
    case Kind::Up: return scroll(-1);
    case Kind::Down: return scroll(1);
    case Kind::PageUp: return scroll(-page);
    case Kind::PageDown: return scroll(page);
    case Kind::Home: first_ = 0; return;
    case Kind::End: first_ = limits::kListMax; return;  // lines() knows where that is
    case Kind::Escape: help_ = false; return;
    case Kind::Character: break;
    default: return;
  }
  if (key.byte == 'q') ended_ = true;
  if (key.byte == '?') help_ = !help_;
  if (key.byte == '/') typing_ = "";
  for (const Sort& sort : kSorts) {
    if (sort.key != key.byte) continue;
    sort_ = sort.name;
    first_ = 0;
  }
}

void TopView::scroll(long rows) {
  const long to = std::max(static_cast<long>(first_) + rows, 0L);
  first_ = std::min(static_cast<std::size_t>(to), limits::kListMax);
}

std::size_t TopView::table_rows() const {
  return size_.rows > kHeadRows + kOtherRows ? size_.rows - kHeadRows - kOtherRows : 0;
}

TopQuery TopView::query() const {
  const std::size_t limit = std::min(first_ + 2 * table_rows() + 1, limits::kListMax);
  return {sort_, match_, limit};
}

std::vector<Line> TopView::lines(const TopAnswers& answers) {
  const std::size_t rows = table_rows();
  const std::size_t count = answers.clients.size();
  first_ = std::min(first_, count > rows ? count - rows : 0);

  const Object status = answers.status ? answers.status->object() : Object{};
  std::vector<Line> lines =
      answers.status ? head_lines(status) : std::vector<Line>{{{"heartbeatd", Tone::Strong}}, {}, {}};
  lines.push_back(middle_line(answers));

  if (help_) {
    for (const std::string_view line : kHelp) lines.push_back({{std::string{line}}});
  } else {
    Table table = client_table();
    for (std::size_t at = first_; at < std::min(count, first_ + rows); ++at) {
      table.add(client_cells(answers.clients[at].object(), status.object("rule")));
    }
    for (Line& line : table.take(size_.columns)) lines.push_back(std::move(line));
  }
  const std::size_t before_last = size_.rows > 0 ? size_.rows - 1 : 0;
  lines.resize(before_last);
  lines.push_back(last_line(answers));
  return lines;
}

// The filter while it is typed; else what is wrong, here or with the fleet; else what is shown.
Line TopView::middle_line(const TopAnswers& answers) const {
  if (typing_) return {{"filter: " + shown(*typing_) + "_", Tone::Strong}};
  if (!answers.trouble.empty()) return {{answers.trouble, Tone::Bad}};
  if (answers.status) {
    const std::string braked = braked_text(answers.status->object());
    if (!braked.empty()) return {{shown(braked), Tone::Bad}};
  }
  return {{"sorted by " + sort_ + (match_.empty() ? "" : ", only " + shown(match_)), Tone::Faint}};
}

Line TopView::last_line(const TopAnswers& answers) const {
  const std::size_t count = answers.clients.size();
  const std::size_t last = std::min(count, first_ + table_rows());
  std::string which = "no client";
  if (count != 0) which = std::to_string(first_ + 1) + '-' + std::to_string(last);
  if (count != 0 && match_.empty() && answers.status) {
    const Object clients = answers.status->object().object("clients");
    which +=
        " of " + std::to_string(clients.number("alive").value_or(0) + clients.number("leave").value_or(0));
  }
  return {{which + "  q quit  s/m/c/n sort  / filter  ? help", Tone::Faint}};
}

}  // namespace heartbeat::ctl
