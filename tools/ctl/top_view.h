// What `top` shows and what its keys do: a value that takes keys and answers, and gives lines.  Knows no
// terminal, daemon or clock.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tools/ctl/json_reply.h"
#include "tools/ctl/screen.h"
#include "tools/ctl/styled.h"

namespace heartbeat::ctl {

// What the daemon last said.
struct TopAnswers {
  std::optional<Reply> status;
  std::vector<Reply> clients;  // in the order that was asked for
  std::string trouble;         // not empty: why there is nothing newer
};

// Which clients are to be asked for.
struct TopQuery {
  std::string sort;
  std::string match;  // a glob; empty: all
  std::size_t limit;

  friend bool operator==(const TopQuery&, const TopQuery&) = default;
};

class TopView {
 public:
  // `sort` is one of clients' sorts; `match` a glob or empty.
  TopView(std::string sort, std::string match);

  void press(Key key);
  void resize(ScreenSize size) { size_ = size; }

  // The lines for the whole screen.
  [[nodiscard]] std::vector<Line> lines(const TopAnswers& answers);

  // Enough for what is shown and for one page more.
  [[nodiscard]] TopQuery query() const;

  [[nodiscard]] bool ended() const { return ended_; }

 private:
  void press_in_table(Key key);
  void press_in_filter(Key key);
  void scroll(long rows);
  [[nodiscard]] std::size_t table_rows() const;
  [[nodiscard]] Line middle_line(const TopAnswers& answers) const;
  [[nodiscard]] Line last_line(const TopAnswers& answers) const;

  ScreenSize size_{24, 80};
  std::string sort_;
  std::string match_;
  std::size_t first_ = 0;              // of the rows that are shown
  std::optional<std::string> typing_;  // the filter while it is being typed
  bool help_ = false;
  bool ended_ = false;
};

}  // namespace heartbeat::ctl
