#include "common/network.h"

#include <string>

#include <doctest/doctest.h>

using namespace heartbeat;

namespace {

Endpoint at(const std::string& address) {
  return *parse_endpoint(address.find(':') == std::string::npos ? address + ":9" : "[" + address + "]:9");
}

bool is_in(const std::string& network, const std::string& address) {
  return contains(parse_network(network).value(), at(address));
}

}  // namespace

TEST_CASE("a network holds the addresses that share its first bits, and no others") {
  CHECK(is_in("10.1.0.0/16", "10.1.0.0"));
  CHECK(is_in("10.1.0.0/16", "10.1.255.255"));
  CHECK_FALSE(is_in("10.1.0.0/16", "10.2.0.0"));
  CHECK_FALSE(is_in("10.1.0.0/16", "10.0.255.255"));
  CHECK(is_in("10.0.0.4/30", "10.0.0.7"));
  CHECK_FALSE(is_in("10.0.0.4/30", "10.0.0.8"));
  CHECK(is_in("0.0.0.0/0", "255.1.2.3"));
  CHECK(is_in("fd00:0:0:80::/57", "fd00::ff:1:2:3:4"));
  CHECK_FALSE(is_in("fd00:0:0:80::/57", "fd00::100:1:2:3:4"));
}

TEST_CASE("an address alone is a network of that address") {
  CHECK(is_in("10.0.0.5", "10.0.0.5"));
  CHECK_FALSE(is_in("10.0.0.5", "10.0.0.4"));
  CHECK(is_in("::1", "::1"));
  CHECK_FALSE(is_in("::1", "::2"));
}

TEST_CASE("a network of one family holds no address of the other, even where it holds all") {
  CHECK_FALSE(is_in("0.0.0.0/0", "::"));
  CHECK_FALSE(is_in("::/0", "0.0.0.0"));
}

TEST_CASE("a network is written as it is read") {
  for (const char* const text : {"10.1.0.0/16", "10.0.0.5", "0.0.0.0/0", "fd00::/8", "::1"}) {
    CAPTURE(text);
    CHECK(to_string(parse_network(text).value()) == text);
  }
  CHECK(to_string(parse_network("10.0.0.5/32").value()) == "10.0.0.5");
}

TEST_CASE("what is no network is refused with a sentence that says what to write") {
  for (const char* const text : {"", "/8", "10.0.0", "10.0.0.5:80", "balancer", "[::1]", "10.0.0.0/8/8"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_network(text));
  }
  CHECK_FALSE(parse_network(std::string_view{"10.0.0.5\0x", 10}));
  for (const char* const text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "::/129"}) {
    CAPTURE(text);
    const auto network = parse_network(text);
    REQUIRE_FALSE(network);
    CHECK(network.error().find("the bits must be a number from 0 to") != std::string::npos);
  }
  CHECK(parse_network("10.1.2.3/16").error() ==
        "'10.1.2.3/16' is not a network: it has bits set behind the first 16; write the address alone, or "
        "the network as 10.1.0.0/16");
}
