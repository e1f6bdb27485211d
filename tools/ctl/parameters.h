// What a command of heartbeatctl can be given, declared once: the check of the command line, --help and the
// shell's completion are made from it.
//
// `into` receives the value, and stays as it is where none is given.  It must live until the command has run.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace heartbeat::ctl {

using Words = std::span<const std::string_view>;

class Parameters {
 public:
  explicit Parameters(CLI::App& grammar) : grammar_(grammar) {}

  // Options, `--name`.  `type` names the value in --help.
  void flag(const char* name, const char* about, bool& into);
  void text(const char* name, const char* type, const char* about, std::string& into);
  // The same, and it must be given.
  void required_text(const char* name, const char* type, const char* about, std::string& into);
  // A pattern for the names of clients.
  void glob(const char* name, const char* about, std::string& into);
  void duration(const char* name, const char* about, std::string& into);
  void required_duration(const char* name, const char* about, std::string& into);
  // A whole number from 1.
  void count(const char* name, const char* about, std::optional<std::uint64_t>& into);
  // One of these words.
  void choice(const char* name, const char* type, const char* about, Words words, std::string& into);
  // Any of these words, with commas between them, or the option repeated.
  void choices(const char* name, const char* type, const char* about, Words words,
               std::vector<std::string>& into);
  // Any text; the words are what the shell offers.
  void hinted_text(const char* name, const char* type, const char* about, Words words, std::string& into);

  // What is given by its place, in capitals; required.
  void choice_operand(const char* name, const char* about, Words words, std::string& into);
  // The same, and need not be given.
  void optional_choice_operand(const char* name, const char* about, Words words, std::string& into);
  void optional_operand(const char* name, const char* about, std::string& into);
  void text_operand(const char* name, const char* about, std::string& into);
  void client_operand(const char* name, const char* about, std::string& into);
  void client_operands(const char* name, const char* about, std::vector<std::string>& into);

  // Whether it takes a client's name by its place.
  [[nodiscard]] bool take_clients() const { return take_clients_; }

  // A line for the shell's completion: `--sort=silence,margin --match=@clients --json`.  A bare word or list
  // of words is what is given by its place; `=` with nothing behind it is a value that nothing is known of.
  [[nodiscard]] const std::string& completion() const { return completion_; }

 private:
  CLI::Option& option(const char* name, const char* type, const char* about, std::string& into);
  void complete(std::string_view word, std::string_view values = {});

  CLI::App& grammar_;
  bool take_clients_ = false;
  std::string completion_;
};

}  // namespace heartbeat::ctl
