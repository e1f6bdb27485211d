#include "daemon/io/listener.h"

#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>

#include "tests/unit/support/loopback.h"

using namespace heartbeat;
using namespace heartbeat::test;

namespace {

constexpr Endpoint kAnywhere{.address = {127, 0, 0, 1}};

}  // namespace

TEST_CASE("those who wait are told by their number, and accepted with their addresses one by one") {
  uv::Loop loop;
  {
    auto listener = Listener::create(loop, kAnywhere, 8, false, [](Listener&) {});
    REQUIRE(listener);
    (*listener)->watch(false);
    CHECK((*listener)->accept() == UV_EAGAIN);

    std::vector<uv::Owned<Recorder>> clients;
    for (int number = 0; number < 3; ++number) {
      clients.emplace_back(new Recorder{loop});
      REQUIRE(clients.back()->connect((*listener)->local()) == 0);
      REQUIRE(turn_until(loop, [&] { return !clients.back()->connected.empty(); }));
    }
#ifdef __linux__
    CHECK((*listener)->waiting() == 3);
#endif
    for (const auto& client : clients) {
      REQUIRE((*listener)->accept() == 0);
      REQUIRE((*listener)->accept() == 0);  // the same one, until it is taken
      CHECK((*listener)->take().peer == client->local());
    }
    CHECK((*listener)->accept() == UV_EAGAIN);
  }
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}

TEST_CASE("one that is not watched is told of nobody, and of those who came when it is again") {
  uv::Loop loop;
  {
    unsigned told = 0;
    auto listener = Listener::create(loop, kAnywhere, 8, false, [&](Listener&) { ++told; });
    REQUIRE(listener);
    (*listener)->watch(false);
    CHECK_FALSE((*listener)->is_watched());
    const uv::Owned<Recorder> client{new Recorder{loop}};
    REQUIRE(client->connect((*listener)->local()) == 0);
    REQUIRE(turn_until(loop, [&] { return !client->connected.empty(); }));
    CHECK(told == 0);
    (*listener)->watch(true);
    CHECK((*listener)->is_watched());
    CHECK(turn_until(loop, [&] { return told > 0; }));
  }
  CHECK(loop.drain(20s) == std::vector<std::string>{});
}

TEST_CASE("a descriptor that cannot listen is refused by its number, and closed") {
  uv::Loop loop;
  const int no_socket = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(no_socket >= 0);
  const auto listener = Listener::adopt(loop, no_socket, 8, [](Listener&) {});
  REQUIRE_FALSE(listener);
  CHECK(listener.error().find("descriptor " + std::to_string(no_socket)) != std::string::npos);
  CHECK(::fcntl(no_socket, F_GETFD) == -1);
}
