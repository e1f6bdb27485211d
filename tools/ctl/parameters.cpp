#include "tools/ctl/parameters.h"

#include <charconv>

#include <CLI/CLI.hpp>

#include "common/duration.h"
#include "common/text.h"
#include "tools/ctl/quoted.h"

namespace heartbeat::ctl {
namespace {

std::string with_commas(Words words, std::string_view comma) {
  std::string list;
  for (const std::string_view word : words) {
    if (!list.empty()) list += comma;
    list += word;
  }
  return list;
}

// Each check returns what is wrong, or nothing.
CLI::Validator is_one_of(Words words) {
  const auto check = [words](const std::string& text) {
    for (const std::string_view word : words) {
      if (text == word) return std::string{};
    }
    return in_quotes(text) + " is none of " + with_commas(words, ", ");
  };
  return CLI::Validator{check, ""};
}

CLI::Validator is_text() {
  const auto check = [](const std::string& text) {
    if (text.empty()) return std::string{"it is empty"};
    return is_utf8(text) ? std::string{} : in_quotes(text) + " is not UTF-8";
  };
  return CLI::Validator{check, ""};
}

CLI::Validator is_duration() {
  const auto check = [](const std::string& text) {
    const auto duration = parse_duration(text);
    return duration ? std::string{} : duration.error();
  };
  return CLI::Validator{check, ""};
}

std::uint64_t read_count(const char* name, const std::string& text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || rest != end || value == 0) {
    throw CLI::ValidationError(name, in_quotes(text) + " is not a whole number from 1");
  }
  return value;
}

}  // namespace

void Parameters::flag(const char* name, const char* about, bool& into) {
  grammar_.add_flag(name, into, about);
  complete(name);
}

void Parameters::text(const char* name, const char* type, const char* about, std::string& into) {
  option(name, type, about, into).check(is_text());
  complete(name, "=");
}

void Parameters::required_text(const char* name, const char* type, const char* about, std::string& into) {
  option(name, type, about, into).required()->check(is_text());
  complete(name, "=");
}

void Parameters::glob(const char* name, const char* about, std::string& into) {
  option(name, "GLOB", about, into).check(is_text());
  complete(name, "=@clients");
}

void Parameters::duration(const char* name, const char* about, std::string& into) {
  option(name, "DURATION", about, into).check(is_duration());
  complete(name, "=");
}

void Parameters::required_duration(const char* name, const char* about, std::string& into) {
  option(name, "DURATION", about, into).required()->check(is_duration());
  complete(name, "=");
}

void Parameters::count(const char* name, const char* about, std::optional<std::uint64_t>& into) {
  const auto read = [name, &into](const std::string& text) { into = read_count(name, text); };
  grammar_.add_option_function<std::string>(name, read, about)->type_name("N");
  complete(name, "=");
}

void Parameters::choice(const char* name, const char* type, const char* about, Words words,
                        std::string& into) {
  option(name, type, about, into).check(is_one_of(words));
  complete(name, "=" + with_commas(words, ","));
}

void Parameters::choices(const char* name, const char* type, const char* about, Words words,
                         std::vector<std::string>& into) {
  grammar_.add_option(name, into, about)->type_name(type)->delimiter(',')->check(is_one_of(words));
  complete(name, "=" + with_commas(words, ","));
}

void Parameters::hinted_text(const char* name, const char* type, const char* about, Words words,
                             std::string& into) {
  option(name, type, about, into).check(is_text());
  complete(name, "=" + with_commas(words, ","));
}

void Parameters::choice_operand(const char* name, const char* about, Words words, std::string& into) {
  option(name, "", about, into).required()->check(is_one_of(words));
  complete(with_commas(words, ","));
}

void Parameters::optional_choice_operand(const char* name, const char* about, Words words,
                                         std::string& into) {
  option(name, "", about, into).check(is_one_of(words));
  complete(with_commas(words, ","));
}

void Parameters::optional_operand(const char* name, const char* about, std::string& into) {
  option(name, "", about, into).check(is_text());
}

void Parameters::text_operand(const char* name, const char* about, std::string& into) {
  option(name, "", about, into).required()->check(is_text());
}

void Parameters::client_operand(const char* name, const char* about, std::string& into) {
  option(name, "", about, into).required()->check(is_text());
  complete("@clients");
  take_clients_ = true;
}

void Parameters::client_operands(const char* name, const char* about, std::vector<std::string>& into) {
  grammar_.add_option(name, into, about)->type_name("")->required()->check(is_text());
  complete("@clients");
  take_clients_ = true;
}

CLI::Option& Parameters::option(const char* name, const char* type, const char* about, std::string& into) {
  return *grammar_.add_option(name, into, about)->type_name(type);
}

void Parameters::complete(std::string_view word, std::string_view values) {
  if (!completion_.empty()) completion_ += ' ';
  completion_ += word;
  completion_ += values;
}

}  // namespace heartbeat::ctl
