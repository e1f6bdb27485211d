#include "daemon/http/page.h"

#include <string>

#include <doctest/doctest.h>

#include "common/limits.h"

using heartbeat::http::page;
using heartbeat::http::Page;

TEST_CASE("the page is one document below its bound that loads nothing") {
  const Page& one = page();
  CHECK(one.html.size() < heartbeat::limits::kPageMax);
  CHECK(one.html.starts_with("<!doctype html>"));
  for (const char* const elsewhere :
       {"<link rel=\"stylesheet\"", " src=\"", "http://", "@import", "style.css\"", "page.js\""}) {
    CAPTURE(elsewhere);
    CHECK(one.html.find(elsewhere) == std::string_view::npos);
  }
}

TEST_CASE("the policy names the hash of one script and of one style, and of nothing else") {
  const std::string_view policy = page().policy;
  const auto hash_of = [&](std::string_view directive) {
    const std::size_t begin = policy.find(directive);
    REQUIRE(begin != std::string_view::npos);
    const std::string_view rest = policy.substr(begin + directive.size());
    return rest.substr(0, rest.find(';'));
  };
  for (const std::string_view directive : {"script-src ", "style-src "}) {
    const std::string_view hash = hash_of(directive);
    CHECK(hash.starts_with("'sha256-"));
    CHECK(hash.ends_with("='"));
    CHECK(hash.size() == 44 + 9);
  }
  CHECK(policy.starts_with("default-src 'none'; "));
  CHECK(policy.find("unsafe") == std::string_view::npos);
}
