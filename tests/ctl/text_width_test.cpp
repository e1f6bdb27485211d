#include "tools/ctl/text_width.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace heartbeat::ctl {
namespace {

TEST_CASE("columns are counted, not bytes") {
  CHECK(width_of("") == 0);
  CHECK(width_of("pump-7") == 6);
  CHECK(width_of("Müller") == 6);
  CHECK(width_of("泵") == 2);
  CHECK(width_of("e\xcc\x81") == 1);  // e with a combining accent
  CHECK(width_of("\xff\xfe") == 2);   // no UTF-8: a column a byte
}

TEST_CASE("a text is cut where it no longer fits, and says so") {
  CHECK(cut_to("pump-7", 6) == "pump-7");
  CHECK(cut_to("pump-7", 5) == "pump…");
  CHECK(cut_to("pump-7", 1) == "…");
  CHECK(cut_to("pump-7", 0).empty());
  CHECK(cut_to("泵泵", 3) == "泵…");
  CHECK(cut_to("泵泵", 2) == "…");
}

TEST_CASE("what a person sees is shown as it is, the rest escaped") {
  CHECK(shown("a \"b\" \\ ü") == "a \"b\" \\ ü");
  CHECK(shown("pump ") == "\"pump \"");
  CHECK(shown("\u00A0pump") == "\"\u00A0pump\"");
  CHECK(shown("a\x1b[2J") == "a\\x1b[2J");
  CHECK(shown("\xc2\x9b") == "\\xc2\\x9b");             // CSI in one character
  CHECK(shown("a\xe2\x80\xae") == "a\\xe2\\x80\\xae");  // reads backwards from here
}

TEST_CASE("a text is wrapped at its spaces, and a word that is too long stays whole") {
  using Pieces = std::vector<std::string>;
  CHECK(wrapped("in leave since noon", 8) == Pieces{"in leave", "since", "noon"});
  CHECK(wrapped("in leave", 7) == Pieces{"in", "leave"});
  CHECK(wrapped("a verylongword b", 4) == Pieces{"a", "verylongword", "b"});
  CHECK(wrapped("in leave", {}) == Pieces{"in leave"});
  CHECK(wrapped("", 8) == Pieces{""});
}

TEST_CASE("the last character goes as a whole") {
  CHECK(without_last("aü") == "a");
  CHECK(without_last("泵") == "");
  CHECK(without_last("") == "");
}

}  // namespace
}  // namespace heartbeat::ctl
