#include "common/os/socket.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <utility>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

using namespace heartbeat;

namespace {

bool is_prepared(const Descriptor& socket) {
  return (fcntl(socket.get(), F_GETFL) & O_NONBLOCK) != 0 && (fcntl(socket.get(), F_GETFD) & FD_CLOEXEC) != 0;
}

sockaddr_in address_of(const Descriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return address;
}

// A socket that listens on a free port of 127.0.0.1.
Descriptor listening() {
  auto socket = os::stream_socket(AF_INET);
  REQUIRE(socket);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(socket->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(socket->get(), 1) == 0);
  return std::move(*socket);
}

// Whether connect() succeeded or, as of a socket that does not block, goes on.
bool begins_to_connect(const Descriptor& socket, const Descriptor& to) {
  const sockaddr_in address = address_of(to);
  return connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno == EINPROGRESS;
}

}  // namespace

TEST_CASE("a stream socket does not block and is closed on exec, of each family") {
  for (const int family : {AF_INET, AF_INET6, AF_UNIX}) {
    const auto socket = os::stream_socket(family);
    REQUIRE(socket);
    CHECK(is_prepared(*socket));
  }
}

TEST_CASE("a family that there is not is an error of errno") {
  const auto socket = os::stream_socket(-1);
  REQUIRE_FALSE(socket);
  CHECK(socket.error() == EAFNOSUPPORT);
}

TEST_CASE("an accepted connection does not block, is closed on exec, and comes with the peer's address") {
  const Descriptor server = listening();
  sockaddr_storage peer{};
  const auto none = os::accept_connection(server.get(), peer);
  REQUIRE_FALSE(none);
  CHECK(none.error() == EAGAIN);

  const auto client = os::stream_socket(AF_INET);
  REQUIRE(client);
  REQUIRE(begins_to_connect(*client, server));
  const auto accepted = os::accept_connection(server.get(), peer);
  REQUIRE(accepted);
  CHECK(is_prepared(*accepted));
  CHECK(reinterpret_cast<const sockaddr_in&>(peer).sin_port == address_of(*client).sin_port);
}

TEST_CASE("bytes for a peer that has closed are an error, not a signal") {
  const auto before = std::signal(SIGPIPE, SIG_DFL);  // would end this program
  const Descriptor server = listening();
  const auto client = os::stream_socket(AF_INET);
  REQUIRE(client);
  REQUIRE(begins_to_connect(*client, server));
  sockaddr_storage peer{};
  CHECK(os::accept_connection(server.get(), peer));  // and closed at once
  // The first bytes are answered with a reset; what is sent after that fails.
  while (os::send_bytes(client->get(), "x") == 1) continue;
  CHECK((errno == EPIPE || errno == ECONNRESET));
  CHECK(os::send_bytes(client->get(), "x") == -1);
  CHECK(errno == EPIPE);
  std::signal(SIGPIPE, before);
}

TEST_CASE("a Unix socket says which process is at its other end, and a TCP socket does not") {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const Descriptor one{ends[0]};
  const Descriptor other{ends[1]};
  const auto credentials = os::peer_credentials(one.get());
  REQUIRE(credentials);
  CHECK(credentials->uid == geteuid());
  CHECK(credentials->pid == getpid());

  CHECK_FALSE(os::peer_credentials(listening().get()));
  CHECK_FALSE(os::peer_credentials(os::stream_socket(AF_UNIX)->get()));  // not connected
}
