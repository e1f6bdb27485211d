#include "daemon/http/authorization.h"

#include <string>

#include <doctest/doctest.h>

using namespace heartbeat::http;

TEST_CASE("a token stands behind Bearer, or is the password of Basic") {
  CHECK(token_in("Bearer hb_abc") == "hb_abc");
  CHECK(token_in("bEARER hb_abc") == "hb_abc");
  CHECK(token_in("Basic YW55Om9wZW4gc2VzYW1l") == "open sesame");  // any:open sesame
  CHECK(token_in("basic OmhiXzE=") == "hb_1");                     // :hb_1
  CHECK(token_in("Basic YTpiOmM=") == "b:c");                      // a:b:c
}

TEST_CASE("what holds no token in either form is none") {
  for (const char* const header :
       {"", "Bearer", "hb_abc", "Digest hb_abc", "Basic", "Basic !", "Basic YWI=", "Bearerhb_abc"}) {
    CAPTURE(header);
    CHECK_FALSE(token_in(header));
  }
  CHECK_FALSE(token_in("Bearer " + std::string(10'000, 'x')));
}
