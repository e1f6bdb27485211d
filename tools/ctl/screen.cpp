#include "tools/ctl/screen.h"

#include <cstdlib>
#include <utility>

#define NCURSES_NOMACROS
#include <curses.h>

#include "tools/ctl/text_width.h"

namespace heartbeat::ctl {

struct Screen::Curses {
  SCREEN* screen;
  bool colour;
};

namespace {

constexpr int kEscapeWaitMs = 25;  // for the rest of a key that begins with Escape

constexpr short kGood = 1;
constexpr short kWarning = 2;
constexpr short kBad = 3;

attr_t attributes_of(Tone tone, bool colour) {
  const auto pair = [&](short number, attr_t otherwise) -> attr_t {
    return colour ? static_cast<attr_t>(COLOR_PAIR(number)) : otherwise;
  };
  switch (tone) {
    case Tone::Plain: return A_NORMAL;
    case Tone::Strong: return A_BOLD;
    case Tone::Faint: return A_DIM;
    case Tone::Good: return pair(kGood, A_NORMAL);
    case Tone::Warning: return pair(kWarning, A_BOLD);
    case Tone::Bad: return pair(kBad, A_REVERSE);
    case Tone::Chosen: return A_REVERSE;
  }
  return A_NORMAL;
}

bool start_colours() {
  if (!has_colors() || start_color() == ERR || use_default_colors() == ERR) return false;
  init_pair(kGood, COLOR_GREEN, -1);
  init_pair(kWarning, COLOR_YELLOW, -1);
  init_pair(kBad, COLOR_RED, -1);
  return true;
}

Key::Kind kind_of(int code) {
  switch (code) {
    case ERR: return Key::Kind::None;
    case '\n':
    case '\r':
    case KEY_ENTER: return Key::Kind::Enter;
    case 27: return Key::Kind::Escape;
    case 12: return Key::Kind::Redraw;
    case 8:
    case 127:
    case KEY_BACKSPACE: return Key::Kind::Backspace;
    case KEY_UP: return Key::Kind::Up;
    case KEY_DOWN: return Key::Kind::Down;
    case KEY_PPAGE: return Key::Kind::PageUp;
    case KEY_NPAGE: return Key::Kind::PageDown;
    case KEY_HOME: return Key::Kind::Home;
    case KEY_END: return Key::Kind::End;
    case KEY_RESIZE: return Key::Kind::Resize;
    default: return code >= ' ' && code <= 0xFF ? Key::Kind::Character : Key::Kind::Other;
  }
}

}  // namespace

std::unique_ptr<Screen> Screen::open(bool colour) {
  // Curses would believe these for ever, and never hear of a resize.
  unsetenv("COLUMNS");
  unsetenv("LINES");
  SCREEN* const screen = newterm(nullptr, stdout, stdin);
  if (screen == nullptr) return nullptr;
  set_term(screen);
  auto curses = std::make_unique<Curses>(Curses{screen, colour && start_colours()});
  set_escdelay(kEscapeWaitMs);
  cbreak();
  noecho();
  curs_set(0);
  keypad(stdscr, true);
  nodelay(stdscr, true);
  return std::unique_ptr<Screen>{new Screen{std::move(curses)}};
}

Screen::Screen(std::unique_ptr<Curses> curses) : curses_(std::move(curses)) {}

Screen::~Screen() {
  endwin();
  delscreen(curses_->screen);
}

ScreenSize Screen::size() const {
  const int rows = getmaxy(stdscr);
  const int columns = getmaxx(stdscr);
  return {static_cast<std::size_t>(rows > 0 ? rows : 0), static_cast<std::size_t>(columns > 0 ? columns : 0)};
}

void Screen::draw(const std::vector<Line>& lines) {
  const ScreenSize room = size();
  erase();
  for (std::size_t row = 0; row < lines.size() && row < room.rows; ++row) {
    ::move(static_cast<int>(row), 0);
    std::size_t left = room.columns;
    for (const Span& span : lines[row]) {
      const std::string text = cut_to(span.text, left);
      attrset(static_cast<int>(attributes_of(span.tone, curses_->colour)));
      addnstr(text.data(), static_cast<int>(text.size()));
      left -= width_of(text);
    }
  }
  attrset(A_NORMAL);
  refresh();
}

void Screen::forget() {
  clearok(curscr, true);
}

Key Screen::read_key() {
  const int code = getch();
  const Key::Kind kind = kind_of(code);
  return {kind, kind == Key::Kind::Character ? static_cast<char>(code) : '\0'};
}

}  // namespace heartbeat::ctl
