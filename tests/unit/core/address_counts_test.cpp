#include "daemon/core/address_counts.h"

#include <doctest/doctest.h>

using namespace heartbeat;

namespace {

Endpoint at(const std::string& text) {
  return parse_endpoint(text).value();
}

}  // namespace

TEST_CASE("an IPv4 address counts by itself, whatever the port") {
  AddressCounts counts;
  counts.add(at("10.0.0.1:1"));
  counts.add(at("10.0.0.1:2"));
  counts.add(at("10.0.0.2:1"));
  CHECK(counts.of(at("10.0.0.1:3")) == 2);
  CHECK(counts.of(at("10.0.0.2:3")) == 1);
  CHECK(counts.of(at("10.0.0.3:3")) == 0);
  CHECK(AddressCounts::name_of(at("10.0.0.1:3")) == "10.0.0.1");
}

TEST_CASE("of an IPv6 address the first 64 bits count") {
  AddressCounts counts;
  counts.add(at("[2001:db8:0:1::1]:1"));
  counts.add(at("[2001:db8:0:1:ffff:ffff:ffff:ffff]:1"));
  counts.add(at("[2001:db8:0:2::1]:1"));
  CHECK(counts.of(at("[2001:db8:0:1::77]:9")) == 2);
  CHECK(counts.of(at("[2001:db8:0:2::77]:9")) == 1);
  CHECK(counts.of(at("[2001:db8:0:3::77]:9")) == 0);
  CHECK(AddressCounts::name_of(at("[2001:db8:0:1::77]:9")) == "2001:db8:0:1::/64");
}

TEST_CASE("link-local addresses, which all share those 64 bits, count whole") {
  AddressCounts counts;
  counts.add(at("[fe80::1]:1"));
  counts.add(at("[fe80::2]:1"));
  counts.add(at("[febf::1]:1"));
  counts.add(at("[fec0::1]:1"));
  CHECK(counts.of(at("[fe80::1]:5")) == 1);
  CHECK(counts.of(at("[fe80::3]:5")) == 0);
  CHECK(counts.of(at("[febf::2]:5")) == 0);
  CHECK(counts.of(at("[fec0::2]:5")) == 1);
  CHECK(AddressCounts::name_of(at("[fe80::1]:9")) == "fe80::1");
}

TEST_CASE("an IPv4 address is none of the IPv6 ones with the same bytes") {
  AddressCounts counts;
  counts.add(at("10.0.0.1:1"));
  CHECK(counts.of(at("[a00:1::]:1")) == 0);
}

TEST_CASE("what is gone is not held any more") {
  AddressCounts counts;
  counts.add(at("10.0.0.1:1"));
  counts.add(at("10.0.0.1:2"));
  counts.remove(at("10.0.0.1:1"));
  CHECK(counts.of(at("10.0.0.1:3")) == 1);
  counts.remove(at("10.0.0.1:2"));
  CHECK(counts.size() == 0);
}
