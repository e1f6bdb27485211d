#include "daemon/core/brake_report.h"

#include <doctest/doctest.h>

using namespace heartbeat;

namespace {

std::string subnet_of(std::initializer_list<const char*> addresses) {
  CommonSubnet subnet;
  for (const char* const address : addresses) subnet.add(*parse_endpoint(address));
  return subnet.text();
}

}  // namespace

TEST_CASE("the subnet of some addresses is the smallest that holds all of them") {
  CHECK(subnet_of({"10.1.2.3:1", "10.1.2.3:2"}) == "10.1.2.3");
  CHECK(subnet_of({"10.1.2.2:1", "10.1.2.3:1"}) == "10.1.2.2/31");
  CHECK(subnet_of({"10.1.2.3:1", "10.1.200.3:1", "10.1.0.1:1"}) == "10.1.0.0/16");
  CHECK(subnet_of({"127.0.0.1:1", "126.0.0.1:1"}) == "126.0.0.0/7");
  CHECK(subnet_of({"[2001:db8::1]:1", "[2001:db8:0:1::1]:1"}) == "2001:db8::/63");
  CHECK(subnet_of({"[::1]:1", "[::1]:2"}) == "::1");
}

TEST_CASE("what has not a bit in common has no subnet") {
  CHECK(subnet_of({}).empty());
  CHECK(subnet_of({"10.0.0.1:1", "192.0.2.1:1"}).empty());
  CHECK(subnet_of({"10.0.0.1:1", "[::1]:1"}).empty());
}
