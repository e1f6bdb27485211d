#include "daemon/http/target.h"

#include <string>

#include <doctest/doctest.h>

using heartbeat::http::parse_target;
using heartbeat::http::percent_decoded;

TEST_CASE("percent signs are taken apart, and what is not well-formed is nothing") {
  CHECK(percent_decoded("pump-7", false) == "pump-7");
  CHECK(percent_decoded("%70ump%2D7%2f%3F", false) == "pump-7/?");
  CHECK(percent_decoded("%C3%BC", false) == "\u00fc");
  CHECK(percent_decoded("a%00b", false) == std::string{"a\0b", 3});
  CHECK(percent_decoded("a+b", false) == "a+b");
  CHECK(percent_decoded("a+b", true) == "a b");
  CHECK(percent_decoded("", false) == "");
  for (const char* const bad : {"%", "%4", "%zz", "%4g", "%+1", "% 1", "a%", "%-1", "%C3", "%FF", "\xff"}) {
    CAPTURE(bad);
    CHECK_FALSE(percent_decoded(bad, false));
  }
}

TEST_CASE("a target is its path and what is asked") {
  const auto target = parse_target("/api/clients?match=pump-%2A&limit=7&empty=&flag");
  REQUIRE(target);
  CHECK(target->path == "/api/clients");
  REQUIRE(target->query.size() == 4);
  CHECK(target->query[0] == std::pair<std::string, std::string>{"match", "pump-*"});
  CHECK(target->query[1] == std::pair<std::string, std::string>{"limit", "7"});
  CHECK(target->query[2].second.empty());
  CHECK(target->query[3].first == "flag");
  CHECK(parse_target("/")->query.empty());
  CHECK(parse_target("/?")->query.empty());
  CHECK(parse_target("/?&&a=1&")->query.size() == 1);
  CHECK(parse_target("/a?b=c?d=e")->query.front().second == "c?d=e");
}

TEST_CASE("what is asked twice, or is not well-formed, is refused with what it was") {
  CHECK(parse_target("/?a=1&a=2").error() == "'a' is given twice");
  CHECK(parse_target("/?a=1&%61=2").error() == "'a' is given twice");
  CHECK(parse_target("/?a=%").error() == "'a=%' is not what a URL's query is made of: percent-encoded UTF-8");
  CHECK(parse_target("/?%ff=1").error().starts_with("'%ff=1' is not"));
}

TEST_CASE("a target that is cut off anywhere is read or refused, and never misread") {
  const std::string whole = "/api/clients/%C3%BC?match=%5B%61%5D&limit=%37";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto target = parse_target(std::string_view{whole}.substr(0, size));
    if (target) CHECK(target->path.size() <= size);
  }
}
