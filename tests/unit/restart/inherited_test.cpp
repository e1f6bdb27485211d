#include "daemon/restart/inherited.h"

#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/os/socket.h"

using namespace heartbeat;

namespace {

struct Tcp {
  Descriptor listening{-1};
  Descriptor client{-1};
  Descriptor accepted{-1};
};

Tcp connect() {
  Tcp tcp;
  tcp.listening = Descriptor{::socket(AF_INET, SOCK_STREAM, 0)};
  tcp.client = Descriptor{::socket(AF_INET, SOCK_STREAM, 0)};
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  REQUIRE(bind(tcp.listening.get(), address, size) == 0);
  REQUIRE(listen(tcp.listening.get(), 1) == 0);
  REQUIRE(getsockname(tcp.listening.get(), address, &size) == 0);
  REQUIRE(::connect(tcp.client.get(), address, size) == 0);
  tcp.accepted = Descriptor{accept(tcp.listening.get(), nullptr, nullptr)};
  REQUIRE(tcp.accepted.get() >= 0);
  return tcp;
}

}  // namespace

TEST_CASE("an inherited socket is found by its cookie, once, and is closed on exec from then on") {
  Tcp tcp = connect();
  const std::uint64_t cookie = os::socket_cookie(tcp.accepted.get());
  const int number = tcp.accepted.get();
  InheritedSockets inherited;
  inherited.add(std::move(tcp.accepted));
  const Descriptor taken = inherited.take(cookie);
  CHECK(taken.get() == number);
  CHECK((fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(inherited.take(cookie).get() == -1);
}

TEST_CASE("of the inherited sockets, those that accept connections are found, and stay where they are") {
  Tcp tcp = connect();
  const int listening = tcp.listening.get();
  InheritedSockets inherited;
  inherited.add(std::move(tcp.listening));
  inherited.add(std::move(tcp.accepted));
  CHECK(inherited.listening() == std::vector<int>{listening});
  CHECK(inherited.size() == 2);
}

TEST_CASE("of the sockets that nothing is known of, connections are kept and others are closed") {
  Tcp tcp = connect();
  const int listening = tcp.listening.get();
  const int accepted = tcp.accepted.get();
  InheritedSockets inherited;
  inherited.add(std::move(tcp.listening));
  inherited.add(std::move(tcp.accepted));
  const auto connections = inherited.take_connections();
  REQUIRE(connections.size() == 1);
  CHECK(connections[0].get() == accepted);
  CHECK(fcntl(listening, F_GETFD) == -1);
  CHECK(inherited.size() == 0);
}

TEST_CASE("a connection that was shut down before it was closed is not found among those that are kept") {
  Tcp tcp = connect();
  shutdown(tcp.accepted.get(), SHUT_RDWR);
  InheritedSockets inherited;
  inherited.add(std::move(tcp.accepted));
  CHECK(inherited.take_connections().empty());
}

TEST_CASE("after an exec, the sockets that were left open are found, and no others") {
  const Tcp tcp = connect();
  fcntl(tcp.client.get(), F_SETFD, FD_CLOEXEC);
  fcntl(tcp.listening.get(), F_SETFD, FD_CLOEXEC);
  const std::uint64_t cookie = os::socket_cookie(tcp.accepted.get());
  Descriptor copy{dup(tcp.accepted.get())};
  fcntl(copy.get(), F_SETFD, FD_CLOEXEC);
  InheritedSockets inherited = InheritedSockets::after_exec();
  Descriptor found = inherited.take(cookie);
  CHECK(found.get() == tcp.accepted.get());
  static_cast<void>(found.release());  // it is still the test's
}
