#include "common/os/poll.h"

#include <array>
#include <cerrno>

#include <doctest/doctest.h>
#include <sys/socket.h>

#include "common/descriptor.h"

using namespace heartbeat;

namespace {

volatile std::sig_atomic_t caught = 0;

}  // namespace

TEST_CASE("a poll with a mask says what is ready, and that the other end has closed") {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const Descriptor one{ends[0]};
  Descriptor other{ends[1]};
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);

  std::array<pollfd, 1> waiting{pollfd{.fd = one.get(), .events = POLLIN, .revents = 0}};
  CHECK(os::poll_with_mask(waiting, Millis{1}, mask) == 0);
  REQUIRE(send(other.get(), "x", 1, 0) == 1);
  CHECK(os::poll_with_mask(waiting, Millis{60'000}, mask) == 1);
  CHECK(waiting[0].revents == POLLIN);
  other = Descriptor{-1};
  CHECK(os::poll_with_mask(waiting, Millis{60'000}, mask) == 1);
  CHECK((waiting[0].revents & POLLHUP) != 0);
}

TEST_CASE("a signal that was held back before a poll with a mask ends its wait") {
  struct sigaction noting {};
  noting.sa_handler = [](int) { caught = 1; };
  struct sigaction before {};
  REQUIRE(sigaction(SIGUSR1, &noting, &before) == 0);
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGUSR1);
  sigset_t mask;
  REQUIRE(pthread_sigmask(SIG_BLOCK, &held, &mask) == 0);

  REQUIRE(std::raise(SIGUSR1) == 0);
  CHECK(caught == 0);
  CHECK(os::poll_with_mask({}, Millis{60'000}, mask) == -1);
  CHECK(errno == EINTR);
  CHECK(caught == 1);
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  sigaction(SIGUSR1, &before, nullptr);
}
