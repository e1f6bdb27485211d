// A program's command line: flags with checked values, --help, --version, and one line for what is wrong.
//
// Every program of the project reads its flags in this one way: a flag given twice counts as given last, an
// error names the flag and the text, and ends with EX_USAGE.
#pragma once

#include <charconv>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "common/mono_time.h"

namespace CLI {
class App;
}

namespace heartbeat {

class CommandLine {
 public:
  using Applied = tl::expected<void, std::string>;

  // Reads the text of a flag's value into wherever it belongs.  The error is a sentence that names the text.
  using Apply = std::function<Applied(const std::string&)>;

  // How a command line that starts nothing ends: with text for standard output and 0 (--help, --version), or
  // with one line for standard error and an exit code of sysexits.h.
  struct End {
    int exit_code;
    std::string text;
  };

  // `about` opens the help, `footer` closes it: durations, exit codes, examples.
  CommandLine(std::string program, const std::string& about, const std::string& footer);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  CommandLine(CommandLine&&) = delete;
  CommandLine& operator=(CommandLine&&) = delete;

  void value(const char* flag, const char* type, const char* help, Apply apply);
  void toggle(const char* flag, const char* help, bool& into);

  // A duration from `min` to `max`; `into` is a Millis or an optional one.
  template <class Into>
  void duration(const char* flag, const char* help, Millis min, Millis max, Into& into) {
    value(flag, "DURATION", help, [=, &into](const std::string& text) -> Applied {
      return read_duration(text, min, max).map([&](Millis read) { into = read; });
    });
  }

  // A whole number from `min` to `max`; `into` is an Integer or an optional one.
  template <std::integral Integer, class Into>
  void number(const char* flag, const char* help, Integer min, Integer max, Into& into) {
    value(flag, "N", help, [=, &into](const std::string& text) -> Applied {
      Integer read = 0;
      const char* const end = text.data() + text.size();
      const auto [rest, error] = std::from_chars(text.data(), end, read);
      if (error != std::errc{} || rest != end || read < min || read > max) {
        return tl::unexpected("'" + text + "' is not a whole number from " + std::to_string(min) + " to " +
                              std::to_string(max));
      }
      into = read;
      return {};
    });
  }

  // Nothing when the program is to run.
  [[nodiscard]] std::optional<End> parse(int argc, const char* const* argv);

  // Prints an end to where it belongs, and returns its exit code.
  static int finish(const End& end);

 private:
  static tl::expected<Millis, std::string> read_duration(const std::string& text, Millis min, Millis max);

  std::string program_;
  std::unique_ptr<CLI::App> app_;
};

}  // namespace heartbeat
