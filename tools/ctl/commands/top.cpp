// heartbeatctl top: keys and answers in, screens out, until a person or a signal ends it.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>

#include <poll.h>
#include <unistd.h>

#include "common/os/poll.h"
#include "tools/ctl/client_table.h"
#include "tools/ctl/commands/all.h"
#include "tools/ctl/exit_code.h"
#include "tools/ctl/parameters.h"
#include "tools/ctl/screen.h"
#include "tools/ctl/top_source.h"
#include "tools/ctl/top_view.h"

namespace heartbeat::ctl::commands {
namespace {

using std::chrono::steady_clock;

// The signal that asked for the end; 0: none yet.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): a handler reaches nothing else
volatile std::sig_atomic_t ended_by = 0;

// Signals that would end the program with the terminal still in curses' hands.
constexpr std::array kEndings{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

// Notes those signals.  They, and the one of a resize, come only while wait_for_input() waits: none can slip
// in between a look and the wait.  Returns the mask to wait with.
sigset_t catch_signals() {
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGWINCH);
  struct sigaction action {};
  action.sa_handler = [](int number) { ended_by = number; };
  for (const int number : kEndings) {
    sigaddset(&held, number);
    sigaction(number, &action, nullptr);
  }
  sigset_t before;
  sigprocmask(SIG_BLOCK, &held, &before);
  return before;
}

// Ends as the signal would have ended it, now that the terminal is as it was.
void end_by(int number, const sigset_t& mask) {
  std::signal(number, SIG_DFL);
  std::raise(number);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
}

// Until a key is pressed, the daemon has answered, a signal came, or `until`.  Returns whether there is still
// a terminal to read from.
bool wait_for_input(int daemon, Deadline until, const sigset_t& mask) {
  std::array<pollfd, 2> inputs{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{daemon, POLLIN, 0}};
  const auto left = std::max<Millis>(std::chrono::ceil<Millis>(until - steady_clock::now()), Millis{0});
  os::poll_with_mask(inputs, left, mask);
  return (inputs[0].revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

// Whether anything was pressed.
bool read_keys(Screen& screen, TopView& view) {
  bool pressed = false;
  for (Key key = screen.read_key(); key.kind != Key::Kind::None; key = screen.read_key()) {
    view.resize(screen.size());
    view.press(key);
    if (key.kind == Key::Kind::Redraw) screen.forget();
    pressed = true;
  }
  return pressed;
}

void show(Screen& screen, TopView& view, TopSource& source, const sigset_t& mask) {
  view.resize(screen.size());
  screen.draw(view.lines(source.answers()));
  while (ended_by == 0) {
    const bool pressed = read_keys(screen, view);
    const bool changed = source.step(steady_clock::now(), view.query());
    if (pressed || changed) screen.draw(view.lines(source.answers()));
    if (view.ended() || !wait_for_input(source.descriptor(), source.next_step(), mask)) return;
  }
}

class TopCommand final : public Command {
 public:
  void declare(Parameters& parameters) override {
    parameters.choice("--sort", "silence|margin|connected|name", "As of clients [margin]", kClientOrders,
                      sort_);
    parameters.glob("--match", "Only those with such a name", match_);
    parameters.text("--group", "GROUP", "Only those of this group; default: those of none", group_);
  }

  [[nodiscard]] std::string contradiction(const Options& options) const override {
    return options.json ? "--json: top is for a terminal; 'clients --json' is for a program" : "";
  }

  Outcome run(Session& session, const Output& /*output*/) override {
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) {
      return tl::unexpected(Failure{kUsage, {"top needs a terminal; 'clients' prints the same table"}});
    }
    if (const auto there = session.connect(session.answer_deadline()); !there) {
      return tl::unexpected(session.failure(there.error()));
    }
    const sigset_t mask = catch_signals();
    {
      const auto screen = Screen::open(!colour_is_unwanted());
      if (screen == nullptr) {
        return tl::unexpected(Failure{kUsage, {"top cannot draw on this terminal: is TERM right?"}});
      }
      TopView view{sort_, match_, group_};
      TopSource source{session};
      show(*screen, view, source, mask);
    }
    if (ended_by != 0) end_by(ended_by, mask);
    return {};
  }

 private:
  std::string sort_ = "margin";
  std::string match_;
  std::string group_;
};

}  // namespace

Made make_top() {
  return std::make_unique<TopCommand>();
}

}  // namespace heartbeat::ctl::commands
