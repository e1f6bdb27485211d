#include "tools/ctl/facts.h"

#include <doctest/doctest.h>

#include "tests/ctl/lines.h"

namespace heartbeat::ctl {
namespace {

Facts two_facts() {
  Facts facts;
  facts.add("up", {"3h12min"});
  facts.add("listening", {"127.0.0.1:14000, [::1]:14000, 10.0.0.1:14000"});
  return facts;
}

TEST_CASE("labels are aligned, and without a width a text is one line") {
  CHECK(plain(two_facts().lines({})) ==
        "up         3h12min\n"
        "listening  127.0.0.1:14000, [::1]:14000, 10.0.0.1:14000\n");
}

TEST_CASE("a text that is too long goes on under itself") {
  CHECK(plain(two_facts().lines(42)) ==
        "up         3h12min\n"
        "listening  127.0.0.1:14000, [::1]:14000,\n"
        "           10.0.0.1:14000\n");
}

TEST_CASE("a word that is longer than the room stays whole") {
  Facts facts;
  facts.add("boot", {"0123456789abcdef0123456789abcdef x"});
  CHECK(plain(facts.lines(10)) == "boot  0123456789abcdef0123456789abcdef\n      x\n");
}

TEST_CASE("neither label nor text can move the cursor") {
  Facts facts;
  facts.add("a\r", {"b\x1b[m"});
  CHECK(plain(facts.lines({})) == "a\\x0d  b\\x1b[m\n");
}

}  // namespace
}  // namespace heartbeat::ctl
