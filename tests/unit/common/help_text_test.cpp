#include "common/help_text.h"

#include <doctest/doctest.h>

namespace heartbeat {
namespace {

TEST_CASE("a help that fits stays as it is") {
  const std::string help = "Usage: x [OPTIONS]\n\nOptions:\n  --json                      Print JSON\n";
  CHECK(fitted_help(help) == help);
  CHECK(fitted_help("").empty());
}

TEST_CASE("a description goes on below its beginning") {
  CHECK(fitted_help("  --control PATH              The daemon's control socket, in the runtime folder of the "
                    "user or of the "
                    "system\n") ==
        "  --control PATH              The daemon's control socket, in the runtime folder\n"
        "                              of the user or of the system\n");
}

TEST_CASE("the rest of a line of prose goes on in the next line of the paragraph, and not beyond it") {
  const std::string words =
      "one two three four five six seven eight nine ten eleven twelve thirteen fourteen ";
  CHECK(fitted_help(words + "fifteen\nsixteen.\n\nNext.\n") ==
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen\nfifteen "
        "sixteen.\n\nNext.\n");
  CHECK(
      fitted_help(words + "fifteen\n\nNext.\n") ==
      "one two three four five six seven eight nine ten eleven twelve thirteen fourteen\nfifteen\n\nNext.\n");
}

TEST_CASE("the usage stands on a line of its own") {
  const std::string about =
      "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen\n";
  CHECK(fitted_help(about + "Usage: x [OPTIONS]\n") ==
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen\nfifteen\nUsage: x "
        "[OPTIONS]\n");
}

TEST_CASE("80 columns fit, and a word that is longer stays whole") {
  const std::string word(80, 'x');
  CHECK(fitted_help(word + "\n") == word + "\n");
  CHECK(fitted_help(word + "x a\n") == word + "x\na\n");
}

}  // namespace
}  // namespace heartbeat
