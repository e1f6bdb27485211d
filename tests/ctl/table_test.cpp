#include "tools/ctl/table.h"

#include <doctest/doctest.h>

#include "tests/ctl/lines.h"

namespace heartbeat::ctl {
namespace {

constexpr std::optional<std::size_t> kUnlimited{};

// Widths 8, 6 and 12: 30 columns with the gaps.
Table three_columns() {
  Table table{{{"NAME", 0, 4}, {"BEATS", 2, 0, Align::Right}, {"PEER", 1, 6}}};
  table.add({{"pump-700"}, {"123456"}, {"127.0.0.1:40"}});
  table.add({{"p"}, {"1"}, {"[::1]:1"}});
  return table;
}

TEST_CASE("columns are as wide as their widest cell, and no line ends in spaces") {
  CHECK(plain(three_columns().take(kUnlimited)) ==
        "NAME       BEATS  PEER\n"
        "pump-700  123456  127.0.0.1:40\n"
        "p              1  [::1]:1\n");
}

TEST_CASE("a table that just fits is left alone") {
  CHECK(plain(three_columns().take(30)) == plain(three_columns().take(kUnlimited)));
}

TEST_CASE("what is too wide is cut first, the least important most") {
  CHECK(plain(three_columns().take(29)) ==
        "NAME       BEATS  PEER\n"
        "pump-700  123456  127.0.0.1:…\n"
        "p              1  [::1]:1\n");
  CHECK(plain(three_columns().take(20)) ==
        "NAME   BEATS  PEER\n"
        "pum…  123456  127.0…\n"
        "p          1  [::1]…\n");
}

TEST_CASE("what does not fit even so is dropped, and the rest has its room") {
  CHECK(plain(three_columns().take(19)) ==
        "NAME      PEER\n"
        "pump-700  127.0.0.…\n"
        "p         [::1]:1\n");
  CHECK(plain(three_columns().take(11)) ==
        "NAME\n"
        "pump-700\n"
        "p\n");
}

TEST_CASE("the most important column stays, however narrow it is") {
  CHECK(plain(three_columns().take(5)) ==
        "NAME\n"
        "pump…\n"
        "p\n");
  CHECK(plain(three_columns().take(1)) == "…\n…\np\n");
  CHECK(plain(three_columns().take(0)) == "…\n…\np\n");
}

TEST_CASE("the first rows settle the widths, and later ones have no headings") {
  Table table = three_columns();
  static_cast<void>(table.take(kUnlimited));
  table.add({{"pump-8"}, {"22"}, {"127.0.0.1:41"}});
  CHECK(plain(table.take(kUnlimited)) == "pump-8        22  127.0.0.1:41\n");
  CHECK(table.take(kUnlimited).empty());
}

TEST_CASE("a later row that is wider is cut where there is a width, and shown whole where there is none") {
  Table narrow = three_columns();
  static_cast<void>(narrow.take(30));
  narrow.add({{"pump-7000"}, {"1"}, {"x"}});
  CHECK(plain(narrow.take(30)) == "pump-70…       1  x\n");

  Table wide = three_columns();
  static_cast<void>(wide.take(kUnlimited));
  wide.add({{"pump-7000"}, {"1"}, {"x"}});
  CHECK(plain(wide.take(kUnlimited)) == "pump-7000       1  x\n");
}

TEST_CASE("an empty cell is a dash, so that fields can be counted") {
  Table table{{{"A", 0}, {"B", 1}}};
  table.add({{""}, {"x"}});
  CHECK(plain(table.take(kUnlimited)) == "A  B\n-  x\n");
}

TEST_CASE("no cell can move the cursor") {
  Table table{{{"NAME", 0}}};
  table.add({{"a\x1b[2Jb\n"}});
  CHECK(plain(table.take(kUnlimited)) == "NAME\na\\x1b[2Jb\\n\n");
}

TEST_CASE("wide characters take two columns") {
  Table table{{{"A", 0}, {"B", 1}}};
  table.add({{"泵"}, {"x"}});
  table.add({{"pu"}, {"x"}});
  CHECK(plain(table.take(kUnlimited)) == "A   B\n泵  x\npu  x\n");
}

TEST_CASE("tones become escapes only where colour is wanted") {
  const Line line{{"a", Tone::Bad}, {"b"}};
  CHECK(rendered(line, false) == "ab\n");
  CHECK(rendered(line, true) == "\x1b[31ma\x1b[0mb\n");
}

}  // namespace
}  // namespace heartbeat::ctl
