#include "common/endpoint.h"

#include <doctest/doctest.h>

using namespace heartbeat;

namespace {

std::string error_of(std::string_view text) {
  const auto parsed = parse_host_port(text);
  return parsed ? "no error" : parsed.error();
}

std::string split(std::string_view text) {
  const auto parsed = parse_host_port(text);
  return parsed ? parsed->host + " " + std::to_string(parsed->port) : parsed.error();
}

}  // namespace

TEST_CASE("an endpoint prints as people write it") {
  CHECK(to_string(Endpoint{.address = {127, 0, 0, 1}, .port = 14000}) == "127.0.0.1:14000");
  Endpoint loopback{.port = 80, .family = Endpoint::Family::V6};
  loopback.address[15] = 1;
  CHECK(to_string(loopback) == "[::1]:80");
  CHECK(address_string(loopback) == "::1");
  CHECK(address_string(Endpoint{.address = {10, 1, 2, 3}}) == "10.1.2.3");
}

TEST_CASE("endpoints are equal when address, port and family are") {
  const Endpoint one{.address = {10, 0, 0, 1}, .port = 1};
  CHECK(one == Endpoint{.address = {10, 0, 0, 1}, .port = 1});
  CHECK(one != Endpoint{.address = {10, 0, 0, 1}, .port = 2});
  CHECK(one != Endpoint{.address = {10, 0, 0, 1}, .port = 1, .family = Endpoint::Family::V6});
}

TEST_CASE("an address on a command line is a host and a port") {
  CHECK(split("127.0.0.1:14000") == "127.0.0.1 14000");
  CHECK(split("localhost:0") == "localhost 0");
  CHECK(split("[::1]:65535") == "::1 65535");
}

TEST_CASE("a wrong address is refused with what is wrong with it") {
  CHECK(error_of("localhost") ==
        "'localhost' is not an address: write it as HOST:PORT, like 127.0.0.1:14000");
  CHECK(error_of("::1:80") ==
        "'::1:80' is not an address: an IPv6 address is written in brackets, like [::1]:14000");
  CHECK(error_of("[::1]").ends_with("an IPv6 address is written in brackets, like [::1]:14000"));
  for (const char* text : {":80", "[]:80"}) {
    CHECK(error_of(text) == "'" + std::string{text} + "' is not an address: the host is missing " +
                                "(0.0.0.0 or [::] listens on every address)");
  }
  for (const char* text : {"host:", "host:65536", "host:-1", "host:+1", "host: 1", "host:1 ", "host:http"}) {
    CHECK(error_of(text) ==
          "'" + std::string{text} + "' is not an address: the port must be a number from 0 to 65535");
  }
}

TEST_CASE("an address in the spelling of other programs is refused with what to write") {
  CHECK(error_of("*:14000") ==
        "'*:14000' is not an address: write 0.0.0.0 for every IPv4 address, [::] for every IPv6 address");
  CHECK(error_of("[fe80::1%eth0]:14000")
            .ends_with("an address with a zone (%) cannot be used; take an address without one"));
}

TEST_CASE("a wrong address moves no terminal by being repeated") {
  CHECK(error_of("0.0.0.1;1\x1b[2J").starts_with(R"('0.0.0.1;1\x1b[2J' is not an address: )"));
  CHECK(error_of("\n:1x").starts_with(R"('\n:1x' is not an address: )"));
  CHECK(error_of("\xFF").starts_with(R"('\xff' is not an address: )"));
}

TEST_CASE("only what this machine alone can reach is a loopback address") {
  for (const char* text : {"127.0.0.1:1", "127.255.255.255:0", "[::1]:80"}) {
    CAPTURE(text);
    CHECK(is_loopback(*parse_endpoint(text)));
  }
  for (const char* text : {"128.0.0.1:1", "126.255.255.255:1", "0.0.0.0:1", "10.0.0.127:1", "[::]:1",
                           "[::2]:1", "[7f00::1]:1", "[::ffff:127.0.0.1]:1"}) {
    CAPTURE(text);
    CHECK_FALSE(is_loopback(*parse_endpoint(text)));
  }
}

TEST_CASE("an endpoint is read back from how it prints, and from nothing else") {
  for (const char* text : {"127.0.0.1:14000", "[::1]:80", "[2001:db8::ff00:42:8329]:65535", "0.0.0.0:0"}) {
    CAPTURE(text);
    const auto endpoint = parse_endpoint(text);
    REQUIRE(endpoint);
    CHECK(to_string(*endpoint) == text);
  }
  for (const char* text :
       {"", "127.0.0.1", "localhost:80", "127.0.0.1:", "::1:80", "[127.0.0.1]:80", "1.2.3:4"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_endpoint(text));
  }
}
