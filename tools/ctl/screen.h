// The terminal as a screen to draw on, and its keys.  The only place that sees curses.
//
// While one exists the terminal is its own; however the scope is left, the terminal is as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tools/ctl/styled.h"

namespace heartbeat::ctl {

struct Key {
  enum class Kind : std::uint8_t {
    None,  // nothing was pressed
    Character,
    Enter,
    Escape,
    Backspace,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Resize,
    Redraw,  // Control-L: the screen is not what it should be
    Other,
  };
  Kind kind = Kind::None;
  char byte = 0;  // of a Character: one byte of its UTF-8
};

struct ScreenSize {
  std::size_t rows;
  std::size_t columns;
};

class Screen {
 public:
  // Nothing where this is no terminal that curses can draw on.
  [[nodiscard]] static std::unique_ptr<Screen> open(bool colour);

  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  Screen(Screen&&) = delete;
  Screen& operator=(Screen&&) = delete;

  [[nodiscard]] ScreenSize size() const;

  // Shows these lines and nothing else; what does not fit is left out.
  void draw(const std::vector<Line>& lines);

  // Lets the next draw() send everything, whatever the terminal seems to show already.
  void forget();

  // The next key that was pressed, without waiting.
  [[nodiscard]] Key read_key();

 private:
  struct Curses;
  explicit Screen(std::unique_ptr<Curses> curses);

  std::unique_ptr<Curses> curses_;
};

}  // namespace heartbeat::ctl
