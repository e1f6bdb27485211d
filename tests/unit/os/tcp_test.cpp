#include "common/os/tcp.h"

#include <utility>

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/descriptor.h"
#include "common/os/socket.h"

using namespace heartbeat;
using namespace std::chrono_literals;

namespace {

int option(const Descriptor& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  REQUIRE(getsockopt(socket.get(), level, name, &value, &size) == 0);
  return value;
}

Descriptor tcp_socket() {
  auto socket = os::stream_socket(AF_INET);
  REQUIRE(socket);
  return std::move(*socket);
}

// A connection over the loopback: the side that listened, and the one that connected.
std::pair<Descriptor, Descriptor> connected_pair() {
  const Descriptor listener = tcp_socket();
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(listen(listener.get(), 1) == 0);
  REQUIRE(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  Descriptor client{socket(AF_INET, SOCK_STREAM, 0)};  // blocks until it is connected
  REQUIRE(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
  Descriptor server{accept(listener.get(), nullptr, nullptr)};
  REQUIRE(server.get() >= 0);
  return {std::move(server), std::move(client)};
}

}  // namespace

TEST_CASE("without limits the system's own times stay, and no probe is sent") {
  const Descriptor socket = tcp_socket();
  CHECK(os::set_tcp_limits(socket.get(), {}));
  CHECK(option(socket, SOL_SOCKET, SO_KEEPALIVE) == 0);
}

TEST_CASE("a keepalive probes in whole seconds, and at least one second apart") {
  const Descriptor socket = tcp_socket();
  CHECK(os::set_tcp_limits(socket.get(), {.keepalive = 30s}));
  CHECK(option(socket, SOL_SOCKET, SO_KEEPALIVE) != 0);
#ifdef __linux__
  CHECK(option(socket, IPPROTO_TCP, TCP_KEEPIDLE) == 30);
  CHECK(option(socket, IPPROTO_TCP, TCP_KEEPINTVL) == 10);
  CHECK(option(socket, IPPROTO_TCP, TCP_KEEPCNT) == 3);
  CHECK(os::set_tcp_limits(socket.get(), {.keepalive = 30001ms}));
  CHECK(option(socket, IPPROTO_TCP, TCP_KEEPIDLE) == 31);
  CHECK(os::set_tcp_limits(socket.get(), {.keepalive = 1ms}));
  CHECK(option(socket, IPPROTO_TCP, TCP_KEEPIDLE) == 1);
  CHECK(option(socket, IPPROTO_TCP, TCP_KEEPINTVL) == 1);
#endif
}

#ifdef __linux__
TEST_CASE("a user timeout is set to the millisecond, and no probe with it") {
  const Descriptor socket = tcp_socket();
  CHECK(os::set_tcp_limits(socket.get(), {.user_timeout = 1501ms}));
  CHECK(option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT) == 1501);
  CHECK(option(socket, SOL_SOCKET, SO_KEEPALIVE) == 0);
}

TEST_CASE("the path of a connection that answers has nothing unanswered") {
  const auto [server, client] = connected_pair();
  const auto path = os::tcp_path(server.get());
  REQUIRE(path);
  CHECK(path->unanswered == 0);
  CHECK(path->unacknowledged == 0);
  CHECK(path->retry > 0ms);
}
#endif

TEST_CASE("a socket that is not TCP has no path and takes no limits") {
  const auto socket = os::stream_socket(AF_UNIX);
  REQUIRE(socket);
  CHECK_FALSE(os::tcp_path(socket->get()));
  CHECK_FALSE(os::set_tcp_limits(socket->get(), {.keepalive = 30s}));
}
