#include "common/uv/loop.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/uv/address.h"
#include "common/uv/listening_socket.h"
#include "tests/unit/support/loopback.h"
#include "tests/unit/support/print.h"

using namespace heartbeat;
using namespace heartbeat::test;

TEST_CASE("a loop without handles drains at once") {
  uv::Loop loop;
  CHECK(loop.drain(24h) == std::vector<std::string>{});
}

TEST_CASE("a drain waits for handles that are closing") {
  uv::Loop loop;
  {
    const auto timer = uv::Timer::create(loop, [] {});
  }
  CHECK(loop.drain(24h) == std::vector<std::string>{});
}

TEST_CASE("a drain is bounded, and names what was left open") {
  uv::Loop loop;
  auto busy = uv::Timer::create(loop, [] {});
  busy->arm(24h);  // without a bound, that long
  auto idle = uv::AfterPoll::create(loop, [] {});
  const auto open = loop.drain(10ms);
  REQUIRE(open.size() == 2);
  CHECK((open[0].starts_with("timer at ") || open[1].starts_with("timer at ")));
  CHECK((open[0].starts_with("check at ") || open[1].starts_with("check at ")));

  busy.reset();
  idle.reset();
  CHECK(loop.drain(24h) == std::vector<std::string>{});
}

TEST_CASE("a drain does what the handles that are left still have to do") {
  uv::Loop loop;
  bool fired = false;
  uv::Owned<uv::Timer> timer;
  timer = uv::Timer::create(loop, [&] {
    fired = true;
    timer.reset();
  });
  timer->arm(5ms);
  CHECK(loop.drain(24h) == std::vector<std::string>{});
  CHECK(fired);
}

TEST_CASE("the loop's clock stands still within a turn and goes on with the next") {
  uv::Loop loop;
  MonoTime first;
  MonoTime second;
  auto timer = uv::Timer::create(loop, [&] { second = loop.now(); });
  first = loop.now();
  timer->arm(5ms);
  CHECK(turn_until(loop, [&] { return second != MonoTime{}; }));
  CHECK(second - first >= 5ms);
  timer.reset();
  CHECK(loop.drain(24h) == std::vector<std::string>{});
}

TEST_CASE("a handle knows its loop") {
  uv::Loop loop;
  auto timer = uv::Timer::create(loop, [] {});
  CHECK(&uv::Loop::of(timer->handle()) == &loop);
  timer.reset();
  CHECK(loop.drain(24h) == std::vector<std::string>{});
}

TEST_CASE("numeric addresses are resolved as they stand, and printed back the same") {
  uv::Loop loop;
  for (const char* text : {"127.0.0.1:14000", "[::1]:80"}) {
    const auto where = parse_host_port(text);
    REQUIRE(where);
    const auto endpoint = uv::resolve(loop, *where);
    REQUIRE(endpoint);
    CHECK(to_string(*endpoint) == text);
    CHECK(uv::endpoint_of(uv::SocketAddress{*endpoint}.get()) == *endpoint);
  }
  CHECK(loop.drain(24h) == std::vector<std::string>{});
}

TEST_CASE("an address that the machine does not have is listened on, and is known not to be there") {
  const Endpoint absent{.address = {192, 0, 2, 7}};  // of a network for documentation (RFC 5737)
  const Endpoint present{.address = {127, 0, 0, 1}};
  CHECK(uv::listening_socket(absent, 1));
  CHECK_FALSE(uv::is_present(absent));
  CHECK(uv::is_present(present));
}

TEST_CASE("all addresses of a host are found, each once") {
  uv::Loop loop;
  const auto all = uv::resolve_all(loop, {.host = "localhost", .port = 7});
  REQUIRE(all);
  CHECK(std::set<Endpoint>(all->begin(), all->end()).size() == all->size());
  CHECK(std::all_of(all->begin(), all->end(),
                    [](const Endpoint& at) { return at.port == 7 && is_loopback(at); }));
  CHECK(loop.drain(24h) == std::vector<std::string>{});
}

TEST_CASE("a host that cannot be is refused by name") {
  uv::Loop loop;
  const auto endpoint = uv::resolve(loop, {.host = "256.0.0.1.invalid", .port = 1});
  REQUIRE_FALSE(endpoint);
  CHECK(endpoint.error().starts_with(
      "'256.0.0.1.invalid' is not an address and no host of that name is known"));
  CHECK(loop.drain(24h) == std::vector<std::string>{});
}
