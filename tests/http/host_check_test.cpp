#include "daemon/http/host_check.h"

#include <doctest/doctest.h>

using heartbeat::Endpoint;
using heartbeat::parse_endpoint;
using heartbeat::http::is_meant_for;

TEST_CASE("a loopback listener is asked by the names of this machine alone") {
  for (const char* const listening : {"127.0.0.1:14080", "127.0.0.2:1", "[::1]:14080"}) {
    const Endpoint at = *parse_endpoint(listening);
    for (const char* const host :
         {"localhost", "localhost:14080", "LocalHost:1", "127.0.0.1", "127.0.0.1:14080", "127.255.255.254:1",
          "[::1]", "[::1]:14080", "[0:0:0:0:0:0:0:1]:1"}) {
      CAPTURE(host);
      CHECK(is_meant_for(host, at));
    }
    for (const char* const host : {"evil.example",
                                   "evil.example:14080",
                                   "localhost.evil.example:1",
                                   "127.0.0.1.evil.example",
                                   "127.evil.example",
                                   "localhost.",
                                   "128.0.0.1",
                                   "0.0.0.0",
                                   "10.0.0.1:14080",
                                   "[::2]",
                                   "[::]",
                                   "::1",
                                   "[::1",
                                   "]",
                                   ":",
                                   ":14080",
                                   "localhost:",
                                   "localhost:99999",
                                   "127.0.0.1:1:2",
                                   "localhost:80\t"}) {
      CAPTURE(host);
      CHECK_FALSE(is_meant_for(host, at));
    }
  }
}

TEST_CASE("a listener that other machines reach may be called anything") {
  for (const char* const listening : {"0.0.0.0:14080", "10.0.0.1:14080", "[::]:1"}) {
    CHECK(is_meant_for("fleet.example:14080", *parse_endpoint(listening)));
  }
}
