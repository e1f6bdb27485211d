#include "tools/ctl/json_request.h"

#include <vector>

#include <doctest/doctest.h>

namespace heartbeat::ctl {
namespace {

TEST_CASE("a request is one object, and text in it cannot be mistaken for more") {
  const std::vector<std::string> clients{"a", "b\",\"c"};
  Request request{"kick"};
  request.with("clients", clients).with("limit", 7U).with("message", "one\ntwo").flagged("snapshot");
  CHECK(request.body() ==
        R"({"command":"kick","clients":["a","b\",\"c"],"limit":7,"message":"one\ntwo","snapshot":true})");
}

}  // namespace
}  // namespace heartbeat::ctl
