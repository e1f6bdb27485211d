// What `top` shows and what its keys do: a value that takes keys and answers, and gives lines.  Knows no
// terminal, daemon or clock.
//
// One row is chosen.  The choice follows its client, wherever the order puts it; if that is gone, the row
// stays.
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
  std::optional<Reply> story;  // of the client that was asked for
  std::string trouble;         // not empty: why there is nothing newer
};

// What to ask the daemon for.
struct TopQuery {
  std::string sort;
  std::string match;   // a glob; empty: all
  std::string group;   // the name of one; empty: all clients
  std::string status;  // alive or leave; empty: both
  std::size_t limit;
  std::string story{};  // of this client; empty: of none

  friend bool operator==(const TopQuery&, const TopQuery&) = default;
};

class TopView {
 public:
  // `sort` is one of clients' sorts; `match` a glob or empty; `group` the name of one or empty.
  TopView(std::string sort, std::string match, std::string group = {});

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
  void press_in_story(Key key);
  void choose(long row);
  void begin_anew();
  void show_chosen(const TopAnswers& answers);
  [[nodiscard]] std::size_t table_rows() const;
  [[nodiscard]] std::vector<Line> head_lines(const TopAnswers& answers) const;
  [[nodiscard]] Line sort_line() const;
  void add_table(std::vector<Line>& lines, const TopAnswers& answers, const Object& rule);
  void add_story(std::vector<Line>& lines, const TopAnswers& answers, const Object& rule);
  [[nodiscard]] Line last_line(const TopAnswers& answers) const;

  ScreenSize size_{24, 80};
  std::string sort_;
  std::string match_;
  std::string group_;
  std::string status_;
  std::size_t head_rows_ = 4;          // of the screen that was drawn last
  std::size_t first_ = 0;              // of the rows that are shown, or of the story's lines
  std::size_t row_ = 0;                // the chosen one, of all
  std::string chosen_;                 // the client's name; empty: whichever is in row_
  std::vector<std::string> names_;     // of the clients that were drawn last
  bool to_the_end_ = false;            // choose the last row as soon as it is known
  std::optional<std::string> typing_;  // the filter while it is being typed
  std::optional<std::string> story_;   // whose story is shown
  bool help_ = false;
  bool ended_ = false;
};

}  // namespace heartbeat::ctl
