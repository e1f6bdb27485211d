#include "tools/ctl/output.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace heartbeat::ctl {
namespace {

constexpr std::size_t kWidthUnknown = 80;

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

std::size_t terminal_width() {
  const std::string_view columns = environment("COLUMNS");
  std::size_t width = 0;
  const auto [rest, error] = std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (error == std::errc{} && rest == columns.data() + columns.size() && width != 0) return width;

  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) return size.ws_col;
  return kWidthUnknown;
}

void write(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
}

}  // namespace

bool colour_is_unwanted() {
  return !environment("NO_COLOR").empty();
}

Output::Output(bool json) : json_(json) {
  if (isatty(STDOUT_FILENO) == 0) return;
  width_ = terminal_width();
  colour_ = !colour_is_unwanted() && environment("TERM") != "dumb";
}

void Output::print(const std::vector<Line>& lines) const {
  for (const Line& line : lines) write(rendered(line, colour_));
  std::fflush(stdout);
}

void Output::print(const Reply& reply) const {
  write(reply.json_line() + '\n');
  std::fflush(stdout);
}

bool Output::good() {
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

}  // namespace heartbeat::ctl
